import type { ConnectRouter } from "@connectrpc/connect";
import { AdminService } from "../../gen/sluice/v1/admin_service_pb.ts";
import { CorpusService } from "../../gen/sluice/v1/corpus_service_pb.ts";
import { ModelService } from "../../gen/sluice/v1/model_service_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { PromptService } from "../../gen/sluice/v1/prompt_service_pb.ts";
import { UsageService } from "../../gen/sluice/v1/usage_service_pb.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { type AdminServicePorts, adminService } from "./admin-service.ts";
import { type CorpusServicePorts, corpusService } from "./corpus-service.ts";
import { type ModelServicePorts, modelService } from "./model-service.ts";
import { pipelineService } from "./pipeline-service.ts";
import { type PromptServicePorts, promptService } from "./prompt-service.ts";
import { type UsageServicePorts, usageService } from "./usage-service.ts";

export interface ServicePorts
  extends UsageServicePorts,
    PromptServicePorts,
    ModelServicePorts,
    AdminServicePorts,
    CorpusServicePorts {
  readonly pipeline: Pipeline;
}

/** The services of the contract that this program serves; health and reflection tell about them. */
export const services = [
  PipelineService,
  CorpusService,
  PromptService,
  ModelService,
  UsageService,
  AdminService,
] as const;

/** Registers every service. The router must have the gate and the interceptors of a `CallSetup`. */
export function createRoutes(ports: ServicePorts): (router: ConnectRouter) => void {
  return (router) => {
    router.service(PipelineService, pipelineService(ports.pipeline));
    router.service(CorpusService, corpusService(ports));
    router.service(PromptService, promptService(ports));
    router.service(ModelService, modelService(ports));
    router.service(UsageService, usageService(ports));
    router.service(AdminService, adminService(ports));
  };
}
