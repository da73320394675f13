"""Does the steps with grpcio, and prints what each gave as one line of JSON.

The steps come as JSON on standard input. Nothing is generated: the contract is a descriptor set.
"""

import argparse
import base64
import json
import sys
import threading

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PIPELINE = "/sluice.v1.PipelineService"


class Contract:
    """The messages of a descriptor set, and calls with them."""

    def __init__(self, path, channel):
        descriptors = descriptor_pb2.FileDescriptorSet()
        with open(path, "rb") as file:
            descriptors.ParseFromString(file.read())
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptors.file:
            self._pool.AddSerializedFile(file.SerializeToString())
        self._channel = channel

    def message(self, name):
        descriptor = self._pool.FindMessageTypeByName(name)
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        # protobuf before 4.22
        return message_factory.MessageFactory(self._pool).GetPrototype(descriptor)

    def _method(self, kind, path, output):
        return kind(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=self.message(output).FromString,
        )

    def complete(self, script, path=PIPELINE + "/Complete", **options):
        """A call that is under way."""
        request = self.message("sluice.v1.CompleteRequest")()
        request.input.model = script
        return self._method(self._channel.unary_unary, path, "sluice.v1.CompleteResponse").future(request, **options)

    def stream_complete(self, script, **options):
        request = self.message("sluice.v1.StreamCompleteRequest")()
        request.input.model = script
        path = PIPELINE + "/StreamComplete"
        return self._method(self._channel.unary_stream, path, "sluice.v1.StreamCompleteResponse")(request, **options)

    def list_services(self):
        request = self.message("grpc.reflection.v1.ServerReflectionRequest")(list_services="")
        path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        answers = self._method(self._channel.stream_stream, path, "grpc.reflection.v1.ServerReflectionResponse")
        return [s.name for answer in answers(iter([request])) for s in answer.list_services_response.service]

    def watch_health(self):
        request = self.message("grpc.health.v1.HealthCheckRequest")()
        return self._method(
            self._channel.unary_stream, "/grpc.health.v1.Health/Watch", "grpc.health.v1.HealthCheckResponse"
        )(request)

    def details(self, call):
        """The messages in the details of a failed call, by full name."""
        encoded = dict(call.trailing_metadata()).get("grpc-status-details-bin", b"")
        status = self.message("google.rpc.Status").FromString(encoded)
        names = [detail.type_url.split("/")[-1] for detail in status.details]
        return {name: self.message(name).FromString(d.value) for name, d in zip(names, status.details)}

    def reason(self, call):
        return self.details(call)["google.rpc.ErrorInfo"].reason


def code_of(call):
    """The number of the status that a call ends with."""
    return call.code().value[0]


def read(stream, each=lambda count: None):
    """The messages of a stream, however it ends."""
    messages = []
    try:
        for message in stream:
            messages.append(message)
            each(len(messages))
    except grpc.RpcError:
        pass
    return messages


class Performer:
    """One method for each step."""

    def __init__(self, contract, steps):
        self._contract = contract
        self._steps = steps

    def unary(self, step):
        call = self._contract.complete(step["asks"])
        return {"code": code_of(call), "text": call.result().completion.text}

    def stream(self, step):
        stream = self._contract.stream_complete(step["asks"])
        numbers = [message.text_delta.sequence_number for message in read(stream)]
        in_order = numbers == list(range(1, len(numbers) + 1))
        return {"code": code_of(stream), "messages": len(numbers), "in_order": in_order}

    def deadline(self, step):
        call = self._contract.complete(step["asks"], timeout=step["timeout_ms"] / 1000)
        return {"code": code_of(call), "reason": self._contract.reason(call)}

    def cancel_unary(self, step):
        call = self._contract.complete(step["asks"])
        timer = threading.Timer(step["after_ms"] / 1000, call.cancel)
        timer.start()
        try:
            call.exception()
        except grpc.FutureCancelledError:
            pass
        return {"code": code_of(call)}

    def cancel_stream(self, step):
        stream = self._contract.stream_complete(step["asks"])
        messages = read(stream, lambda count: count == step["after_messages"] and stream.cancel())
        return {"code": code_of(stream), "messages": len(messages)}

    def error(self, step):
        call = self._contract.complete(step["asks"])
        nearest = list(self._contract.details(call)["sluice.v1.UnknownNameDetail"].nearest)
        pushback = dict(call.trailing_metadata())["grpc-retry-pushback-ms"]
        return {"code": code_of(call), "reason": self._contract.reason(call), "nearest": nearest, "pushback": pushback}

    def message(self, step):
        call = self._contract.complete(step["asks"])
        return {"code": code_of(call), "message": call.details()}

    def metadata(self, step):
        binary = [(name, bytes(value)) for name, value in step["binary"].items()]
        call = self._contract.complete(step["asks"], metadata=list(step["metadata"].items()) + binary)
        trailer = dict(call.trailing_metadata())
        return {
            "code": code_of(call),
            "header": dict(call.initial_metadata())["echo-header-a"],
            "trailer": trailer["echo-trailer-a"],
            "binary": list(trailer["echo-trailer-bin"]),
        }

    def gzip(self, step):
        options = {"compression": grpc.Compression.Gzip, "metadata": list(step["metadata"].items())}
        call = self._contract.complete(step["asks"], **options)
        seen = dict(json.loads(base64.b64decode(dict(call.initial_metadata())["seen"])))
        text = call.result().completion.text
        return {"code": code_of(call), "text": text, "encoding": seen["grpc-encoding"]}

    def large(self, step):
        return {"code": code_of(self._contract.complete(step["asks"]))}

    def unimplemented(self, step):
        return {"code": code_of(self._contract.complete("", path=step["path"]))}

    def reflection(self, _):
        return {"services": sorted(name for name in self._contract.list_services() if name.startswith("sluice."))}

    def watch(self, step):
        stream = self._contract.watch_health()
        enum = self._contract.message("grpc.health.v1.HealthCheckResponse").DESCRIPTOR.enum_types_by_name
        names = enum["ServingStatus"].values_by_number
        messages = read(stream, lambda count: count == 1 and self._contract.complete(step["asks"]).result())
        return {"code": code_of(stream), "statuses": [names[message.status].name for message in messages]}

    def perform(self):
        for name, step in self._steps.items():
            print(json.dumps({"step": name, **getattr(self, name)(step)}), flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--address", required=True)
    arguments.add_argument("--descriptors", required=True)
    options = arguments.parse_args()
    with grpc.insecure_channel(options.address) as channel:
        Performer(Contract(options.descriptors, channel), json.load(sys.stdin)).perform()


if __name__ == "__main__":
    main()
