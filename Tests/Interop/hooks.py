"""What schemathesis has to be told of our own media type: the bytes go out as they are."""
import schemathesis
from schemathesis.transport.serialization import serialize_binary


@schemathesis.serializer("application/vnd.farthing.sections")
def sections(context, value):
    return {"data": serialize_binary(value)}
