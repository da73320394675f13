"""Puts a file into a collection, asks a question about it, and shows each cited passage in its place.

Needs grpcio and protobuf, and the contract as a descriptor set (see README.md); nothing is generated.
"""

import argparse

import grpc

from client import Contract


def call(contract, channel, service, method, request):
    """One unary call; `request` is filled from a dict."""
    message = contract.message(f"sluice.v1.{method}Request")(**request)
    stub = channel.unary_unary(
        f"/sluice.v1.{service}/{method}",
        request_serializer=lambda sent: sent.SerializeToString(),
        response_deserializer=contract.message(f"sluice.v1.{method}Response").FromString,
    )
    return stub(message, timeout=60)


def ask(contract, collection, question):
    """The input of a completion that draws on the collection."""
    retrieval = contract.message("sluice.v1.RetrievalInput")(collection=collection)
    prompt = contract.message("sluice.v1.PromptInput")(name="answer-with-sources")
    prompt.variables.update({"question": question})
    return contract.message("sluice.v1.CompletionInput")(prompt=prompt, retrieval=retrieval)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--address", default="127.0.0.1:8080", help="host:port of the server")
    arguments.add_argument("--descriptors", required=True, help="the contract as a descriptor set")
    arguments.add_argument("--collection", default="asked-from-python")
    arguments.add_argument("file", help="a Markdown file")
    arguments.add_argument("question")
    options = arguments.parse_args()
    with open(options.file, encoding="utf-8") as file:
        markdown = file.read()

    contract = Contract(options.descriptors)
    with grpc.insecure_channel(options.address) as channel:
        document = contract.message("sluice.v1.DocumentInput")(id="file.md", markdown=markdown)
        stored = {"collection": options.collection, "documents": [document]}
        call(contract, channel, "CorpusService", "PutDocuments", stored)

        question = {"input": ask(contract, options.collection, options.question)}
        completion = call(contract, channel, "PipelineService", "Complete", question).completion
        print("== Answer")
        print(completion.text)

        print("== Sources")
        for citation in completion.citations:
            named = {"collection": options.collection, "document_id": citation.document_id}
            text = call(contract, channel, "CorpusService", "GetDocument", named).document.text
            # Offsets count bytes of UTF-8.
            passage = text.encode()[citation.start_offset_bytes : citation.end_offset_bytes].decode()
            print(f"[{citation.chunk_id}] similarity {citation.score:.2f}")
            print(passage)


if __name__ == "__main__":
    main()
