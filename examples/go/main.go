// Summarizes a file with Sluice: once as a whole, once as a stream, and once with a model that does not exist.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	sluicev1 "sluice.dev/gen/sluice/v1"
)

func main() {
	address := flag.String("address", "127.0.0.1:8080", "host:port of the server")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("name one file to summarize")
	}
	text, err := os.ReadFile(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	if err := run(*address, string(text)); err != nil {
		log.Fatal(err)
	}
}

func run(address, text string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	client := sluicev1.NewPipelineServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	input, err := summarize(text)
	if err != nil {
		return err
	}
	if err := complete(ctx, client, input); err != nil {
		return err
	}
	if err := streamComplete(ctx, client, input); err != nil {
		return err
	}
	input.Model = "no-such-model"
	return showError(ctx, client, input)
}

// summarize is the input of the prompt `summarize`.
func summarize(text string) (*sluicev1.CompletionInput, error) {
	variables, err := structpb.NewStruct(map[string]any{"text": text})
	if err != nil {
		return nil, err
	}
	return &sluicev1.CompletionInput{Prompt: &sluicev1.PromptInput{Name: "summarize", Variables: variables}}, nil
}

func complete(ctx context.Context, client sluicev1.PipelineServiceClient, input *sluicev1.CompletionInput) error {
	fmt.Println("== Complete")
	response, err := client.Complete(ctx, &sluicev1.CompleteRequest{Input: input})
	if err != nil {
		return err
	}
	fmt.Println(response.GetCompletion().GetText())
	return nil
}

func streamComplete(ctx context.Context, client sluicev1.PipelineServiceClient, input *sluicev1.CompletionInput) error {
	fmt.Println("== StreamComplete")
	stream, err := client.StreamComplete(ctx, &sluicev1.StreamCompleteRequest{Input: input})
	if err != nil {
		return err
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			fmt.Println()
			return nil
		}
		if err != nil {
			return err
		}
		switch event := response.GetEvent().(type) {
		case *sluicev1.StreamCompleteResponse_TextDelta:
			fmt.Print(event.TextDelta.GetText())
		case *sluicev1.StreamCompleteResponse_Restarted:
			fmt.Println("\n(from the beginning)")
		}
	}
}

func showError(ctx context.Context, client sluicev1.PipelineServiceClient, input *sluicev1.CompletionInput) error {
	fmt.Println("== Error")
	_, err := client.Complete(ctx, &sluicev1.CompleteRequest{Input: input})
	if err == nil {
		return fmt.Errorf("the server knows a model called %s", input.GetModel())
	}
	var nearest []string
	reason := ""
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			reason = detail.GetReason()
		case *sluicev1.UnknownNameDetail:
			nearest = detail.GetNearest()
		}
	}
	fmt.Println(status.Code(err), reason)
	fmt.Println("nearest:", strings.Join(nearest, ", "))
	return nil
}
