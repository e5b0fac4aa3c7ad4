"""An instrumented application: so many calls, one refusal, and its end. python application.py URL CALLS INSTRUMENTATION.

What it is told to export to stands in the SDK's own environment variables alone.
"""
import os
import sys
import time

import openai
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# As the SDK's own configuration chooses; its default, where nothing is said, is gRPC.
protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
if protocol == "http/protobuf":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
elif protocol == "http/json":
    from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

url, calls, instrumentation = sys.argv[1], int(sys.argv[2]), sys.argv[3]
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

if instrumentation == "openinference":
    from openinference.instrumentation import using_attributes
    from openinference.instrumentation.openai import OpenAIInstrumentor

    about = using_attributes(
        session_id="s-1", user_id="svc-search", metadata={"squad": "red", "tier": 2}, tags=["beta", "region:eu"])
elif instrumentation == "openllmetry":
    from contextlib import nullcontext
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    about = nullcontext()
else:
    from contextlib import nullcontext
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    about = nullcontext()
OpenAIInstrumentor().instrument()

client = openai.OpenAI(base_url=url, api_key="sk-none", max_retries=0)
with about, trace.get_tracer("application").start_as_current_span("handle request"):
    for number in range(calls):
        client.chat.completions.create(
            model="gpt-4.1-mini", max_tokens=10 + number,
            messages=[{"role": "user", "content": "x" * (100 + number)}])
    try:
        client.chat.completions.create(
            model="limited", messages=[{"role": "user", "content": "more"}])
    except openai.RateLimitError:
        pass
if not provider.force_flush():
    sys.exit("the exporter did not get rid of its spans")
print(time.time())
