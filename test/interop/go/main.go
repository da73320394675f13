// Does the steps with grpc-go, and prints what each gave as one line of JSON. The steps come as JSON on standard input.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	sluicev1 "sluice.dev/gen/sluice/v1"
)

// step is what one of the steps asks for; most have only some of it.
type step struct {
	Asks          string            `json:"asks"`
	Path          string            `json:"path"`
	TimeoutMs     int               `json:"timeout_ms"`
	AfterMs       int               `json:"after_ms"`
	AfterMessages int               `json:"after_messages"`
	Metadata      map[string]string `json:"metadata"`
	Binary        map[string][]int  `json:"binary"`
}

// given is what a step gave, by name.
type given map[string]any

type performer struct {
	connection *grpc.ClientConn
	pipeline   sluicev1.PipelineServiceClient
}

func main() {
	address := flag.String("address", "", "host:port of the server")
	flag.Parse()
	steps := map[string]step{}
	if err := json.NewDecoder(os.Stdin).Decode(&steps); err != nil {
		log.Fatal(err)
	}
	connection, err := grpc.NewClient(*address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	if err := (&performer{connection, sluicev1.NewPipelineServiceClient(connection)}).perform(steps); err != nil {
		log.Fatal(err)
	}
}

func (p *performer) perform(steps map[string]step) error {
	// The watch is the last one: it drains the server.
	performers := []struct {
		name string
		do   func(context.Context, step) (given, error)
	}{
		{"unary", p.unary}, {"stream", p.stream}, {"deadline", p.deadline}, {"cancel_unary", p.cancelUnary},
		{"cancel_stream", p.cancelStream}, {"error", p.fail}, {"message", p.message}, {"metadata", p.metadata},
		{"gzip", p.gzip}, {"large", p.large}, {"unimplemented", p.unimplemented}, {"reflection", p.reflection},
		{"watch", p.watch},
	}
	for _, performer := range performers {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		gave, err := performer.do(ctx, steps[performer.name])
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", performer.name, err)
		}
		gave["step"] = performer.name
		line, err := json.Marshal(gave)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}

func (p *performer) complete(ctx context.Context, asks string, options ...grpc.CallOption) (string, error) {
	request := &sluicev1.CompleteRequest{Input: &sluicev1.CompletionInput{Model: asks}}
	response, err := p.pipeline.Complete(ctx, request, options...)
	return response.GetCompletion().GetText(), err
}

func (p *performer) streamComplete(ctx context.Context, asks string) (sluicev1.PipelineService_StreamCompleteClient, error) {
	return p.pipeline.StreamComplete(ctx, &sluicev1.StreamCompleteRequest{Input: &sluicev1.CompletionInput{Model: asks}})
}

func (p *performer) unary(ctx context.Context, step step) (given, error) {
	text, err := p.complete(ctx, step.Asks)
	return given{"code": status.Code(err), "text": text}, nil
}

func (p *performer) stream(ctx context.Context, step step) (given, error) {
	stream, err := p.streamComplete(ctx, step.Asks)
	if err != nil {
		return nil, err
	}
	inOrder := true
	for count := 0; ; count++ {
		response, err := stream.Recv()
		if err != nil {
			return given{"code": codeAtEnd(err), "messages": count, "in_order": inOrder}, nil
		}
		inOrder = inOrder && response.GetTextDelta().GetSequenceNumber() == int64(count+1)
	}
}

func (p *performer) deadline(ctx context.Context, step step) (given, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(step.TimeoutMs)*time.Millisecond)
	defer cancel()
	_, err := p.complete(ctx, step.Asks)
	return given{"code": status.Code(err), "reason": reason(err)}, nil
}

func (p *performer) cancelUnary(ctx context.Context, step step) (given, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	time.AfterFunc(time.Duration(step.AfterMs)*time.Millisecond, cancel)
	_, err := p.complete(ctx, step.Asks)
	return given{"code": status.Code(err)}, nil
}

func (p *performer) cancelStream(ctx context.Context, step step) (given, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.streamComplete(ctx, step.Asks)
	if err != nil {
		return nil, err
	}
	for count := 0; ; {
		if _, err := stream.Recv(); err != nil {
			return given{"code": codeAtEnd(err), "messages": count}, nil
		}
		count++
		if count == step.AfterMessages {
			cancel()
		}
	}
}

func (p *performer) fail(ctx context.Context, step step) (given, error) {
	var trailer metadata.MD
	_, err := p.complete(ctx, step.Asks, grpc.Trailer(&trailer))
	var nearest []string
	for _, detail := range status.Convert(err).Details() {
		if detail, is := detail.(*sluicev1.UnknownNameDetail); is {
			nearest = detail.GetNearest()
		}
	}
	pushback := strings.Join(trailer.Get("grpc-retry-pushback-ms"), ",")
	return given{"code": status.Code(err), "reason": reason(err), "nearest": nearest, "pushback": pushback}, nil
}

func (p *performer) message(ctx context.Context, step step) (given, error) {
	_, err := p.complete(ctx, step.Asks)
	return given{"code": status.Code(err), "message": status.Convert(err).Message()}, nil
}

func (p *performer) metadata(ctx context.Context, step step) (given, error) {
	var header, trailer metadata.MD
	_, err := p.complete(withMetadata(ctx, step), step.Asks, grpc.Header(&header), grpc.Trailer(&trailer))
	binary := []int{}
	for _, value := range []byte(strings.Join(trailer.Get("echo-trailer-bin"), ",")) {
		binary = append(binary, int(value))
	}
	return given{
		"code":    status.Code(err),
		"header":  strings.Join(header.Get("echo-header-a"), ","),
		"trailer": strings.Join(trailer.Get("echo-trailer-a"), ","),
		"binary":  binary,
	}, nil
}

func (p *performer) gzip(ctx context.Context, step step) (given, error) {
	var header metadata.MD
	text, err := p.complete(withMetadata(ctx, step), step.Asks, grpc.UseCompressor(gzip.Name), grpc.Header(&header))
	if err != nil {
		return nil, err
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(header.Get("seen"), ""))
	if err != nil {
		return nil, err
	}
	var seen [][2]string
	if err := json.Unmarshal(decoded, &seen); err != nil {
		return nil, err
	}
	encoding := ""
	for _, pair := range seen {
		if pair[0] == "grpc-encoding" {
			encoding = pair[1]
		}
	}
	return given{"code": 0, "text": text, "encoding": encoding}, nil
}

func (p *performer) large(ctx context.Context, step step) (given, error) {
	_, err := p.complete(ctx, step.Asks)
	return given{"code": status.Code(err)}, nil
}

func (p *performer) unimplemented(ctx context.Context, step step) (given, error) {
	err := p.connection.Invoke(ctx, step.Path, &sluicev1.CompleteRequest{}, &sluicev1.CompleteResponse{})
	return given{"code": status.Code(err)}, nil
}

func (p *performer) reflection(ctx context.Context, _ step) (given, error) {
	stream, err := reflectionv1.NewServerReflectionClient(p.connection).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	request := &reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}
	if err := stream.Send(request); err != nil {
		return nil, err
	}
	response, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	services := []string{}
	for _, service := range response.GetListServicesResponse().GetService() {
		if strings.HasPrefix(service.GetName(), "sluice.") {
			services = append(services, service.GetName())
		}
	}
	sort.Strings(services)
	return given{"services": services}, stream.CloseSend()
}

func (p *performer) watch(ctx context.Context, step step) (given, error) {
	stream, err := healthv1.NewHealthClient(p.connection).Watch(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		return nil, err
	}
	statuses := []string{}
	for {
		response, err := stream.Recv()
		if err != nil {
			return given{"code": codeAtEnd(err), "statuses": statuses}, nil
		}
		statuses = append(statuses, response.GetStatus().String())
		if len(statuses) == 1 {
			if _, err := p.complete(ctx, step.Asks); err != nil {
				return nil, err
			}
		}
	}
}

func withMetadata(ctx context.Context, step step) context.Context {
	for name, value := range step.Metadata {
		ctx = metadata.AppendToOutgoingContext(ctx, name, value)
	}
	for name, numbers := range step.Binary {
		value := make([]byte, len(numbers))
		for index, number := range numbers {
			value[index] = byte(number)
		}
		ctx = metadata.AppendToOutgoingContext(ctx, name, string(value))
	}
	return ctx
}

// codeAtEnd is the code of a stream that Recv says is over.
func codeAtEnd(err error) int {
	if errors.Is(err, io.EOF) {
		return 0
	}
	return int(status.Code(err))
}

func reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, is := detail.(*errdetails.ErrorInfo); is {
			return info.GetReason()
		}
	}
	return ""
}
