// The Worker's entry: puts the wasm exports where workerd looks for them, and survives a panic.
//
// A panic leaves the wasm memory in an unknown state, so the instance is given up: the next event
// starts a fresh one, and each hub builds its Rust half again from its sockets' attachments. Hubs
// therefore never call into wasm with a pointer from an instance before.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import * as wasm from "./index.js";

// Shared by all wasm instances of this isolate: `criticalError` is set by the panic hook,
// `instanceId` counts instances.
const life = wasm.__worker_init_state();

function revive() {
  if (life.criticalError) {
    life.criticalError = false;
    wasm.__wbg_reset_state();
  }
}

export default class extends WorkerEntrypoint {
  fetch(request) {
    revive();
    return wasm.fetch(request, this.env, this.ctx);
  }

  scheduled(event) {
    revive();
    return wasm.scheduled(event, this.env, this.ctx);
  }
}

export class GatewayHub extends DurableObject {
  #half;
  #instance;

  constructor(state, env) {
    super(state, env);
    this.#awake();
  }

  #awake() {
    revive();
    if (this.#instance !== life.instanceId) {
      const panicked = this.#instance !== undefined;
      this.#instance = life.instanceId;
      this.#half = new wasm.GatewayHub(this.ctx, this.env);
      if (panicked) this.#half.afterPanic();
    }
    return this.#half;
  }

  fetch(request) {
    return this.#awake().fetch(request);
  }

  alarm() {
    return this.#awake().alarm();
  }

  webSocketMessage(socket, message) {
    this.#awake().webSocketMessage(socket, message);
  }

  webSocketClose(socket, code, reason, clean) {
    this.#awake().webSocketClose(socket, code, reason, clean);
  }

  webSocketError(socket, error) {
    this.#awake().webSocketError(socket, error);
  }
}
