"""Summarizes a file with Sluice: once as a whole, once as a stream, and once with a model that does not exist.

Needs grpcio and protobuf, and the contract as a descriptor set (see README.md); nothing is generated.
"""

import argparse
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


class Contract:
    """The messages of a descriptor set."""

    def __init__(self, path):
        descriptors = descriptor_pb2.FileDescriptorSet()
        with open(path, "rb") as file:
            descriptors.ParseFromString(file.read())
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptors.file:
            self._pool.AddSerializedFile(file.SerializeToString())

    def message(self, name):
        """The class of the message with this full name."""
        descriptor = self._pool.FindMessageTypeByName(name)
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        # protobuf before 4.22
        return message_factory.MessageFactory(self._pool).GetPrototype(descriptor)


class Pipeline:
    """sluice.v1.PipelineService."""

    def __init__(self, contract, channel):
        self._contract = contract
        service = "/sluice.v1.PipelineService"
        self.complete = channel.unary_unary(
            service + "/Complete",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=contract.message("sluice.v1.CompleteResponse").FromString,
        )
        self.stream_complete = channel.unary_stream(
            service + "/StreamComplete",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=contract.message("sluice.v1.StreamCompleteResponse").FromString,
        )

    def request(self, name, text, model=""):
        request = self._contract.message("sluice.v1." + name)()
        request.input.model = model
        request.input.prompt.name = "summarize"
        request.input.prompt.variables.update({"text": text})
        return request

    def error_details(self, error):
        """The messages in the details of a failed call, by full name."""
        trailers = dict(error.trailing_metadata())
        status = self._contract.message("google.rpc.Status").FromString(trailers["grpc-status-details-bin"])
        names = [detail.type_url.split("/")[-1] for detail in status.details]
        return {name: self._contract.message(name).FromString(d.value) for name, d in zip(names, status.details)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--address", default="127.0.0.1:8080", help="host:port of the server")
    arguments.add_argument("--descriptors", required=True, help="the contract as a descriptor set")
    arguments.add_argument("file", help="the text to summarize")
    options = arguments.parse_args()
    with open(options.file, encoding="utf-8") as file:
        text = file.read()

    with grpc.insecure_channel(options.address) as channel:
        pipeline = Pipeline(Contract(options.descriptors), channel)

        print("== Complete")
        print(pipeline.complete(pipeline.request("CompleteRequest", text), timeout=30).completion.text)

        print("== StreamComplete")
        for response in pipeline.stream_complete(pipeline.request("StreamCompleteRequest", text), timeout=30):
            event = response.WhichOneof("event")
            if event == "text_delta":
                print(response.text_delta.text, end="", flush=True)
            elif event == "restarted":
                print("\n(from the beginning)")
        print()

        print("== Error")
        try:
            pipeline.complete(pipeline.request("CompleteRequest", text, model="no-such-model"), timeout=30)
        except grpc.RpcError as error:
            details = pipeline.error_details(error)
            print(error.code().name, details["google.rpc.ErrorInfo"].reason)
            print("nearest:", ", ".join(details["sluice.v1.UnknownNameDetail"].nearest))
        else:
            sys.exit("the server knows a model called no-such-model")


if __name__ == "__main__":
    main()
