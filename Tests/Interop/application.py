"""An application as people write them: OpenAI's client, instrumented by OpenTelemetry, which is told
where to send its spans by environment variables alone.
"""
import os
import sys
import time

import openai
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()

client = openai.OpenAI(base_url=sys.argv[1], api_key="sk-none", max_retries=0)
with trace.get_tracer("application").start_as_current_span("handle request"):
    for number in range(int(sys.argv[2])):
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
