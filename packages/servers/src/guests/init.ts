/**
 * Init, process 1: builds the system, looks after it, and does what the host asks.
 *
 * It must outlive everything, because the kernel ends the machine with it. So it calls no process (it
 * would wait for it), takes no word of host or child on trust, and what goes wrong with one of them ends
 * in a message. All its waiting is one receive: services ask who a badge is, and its notification tells
 * of the host (bit 0), of services that ended (bits 1 to 15) and of user processes (bits 16 to 31).
 */
import { Err, ObjectType, Right, type Sys } from "@capos/abi";
import { debug, IpcError, irq, type Steps, thread } from "@capos/libos";
import {
  BadRequest,
  type CheckedRequest,
  type ControlEvent,
  idOf,
  MAX_REQUEST_BYTES,
  parseRequest,
} from "./control-protocol.js";
import { type Authority, takeAuthority } from "./init/authority.js";
import { ControlPort, type Incoming } from "./init/control-port.js";
import { Deposits } from "./init/deposits.js";
import { Services } from "./init/services.js";
import { Refusal, Users } from "./init/users.js";
import { Registry } from "./registry.js";
import { Badge } from "./system.js";

const CONTROL_DEVICE = 3;
const CONTROL_BIT = 0;
const FIRST_SERVICE_BIT = 1;
const FIRST_USER_BIT = 16;
const BITS = 32;
/** Exit status of the machine when the system cannot go on. */
const FAILURE = 1;

export default function* main(sys: Sys): Generator<number, number, number> {
  const init = yield* takeAuthority(sys);
  const registry = yield* init.make(ObjectType.ENDPOINT);
  const events = yield* init.make(ObjectType.NOTIFICATION);
  yield* thread.bind(sys, init.thread, events);
  const signalled = (bit: number): Steps<number> => init.mint(events, Right.SEND, 2 ** bit);

  const control = new ControlPort(init, init.port(CONTROL_DEVICE));
  yield* irq.bind(sys, init.interrupt(CONTROL_DEVICE), yield* signalled(CONTROL_BIT));
  const services = yield* Services.prepare(
    init,
    registry,
    (index) => signalled(FIRST_SERVICE_BIT + index),
    (event) => {
      if (!control.isBehind) control.send(event);
    },
  );
  const watchers: number[] = [];
  for (let bit = FIRST_USER_BIT; bit < BITS; bit++) watchers.push(yield* signalled(bit));
  const deposits = new Deposits(init);
  const users = new Users(init, services, deposits, registry, watchers);

  yield* services.startAll();
  control.send({ event: "ready", services: services.names, cores: init.cores });

  const supervisor = new Supervisor(init, control, services, users);
  // The host may have spoken before its interrupt led anywhere.
  yield* supervisor.attend(2 ** CONTROL_BIT);
  yield* Registry.serve(
    sys,
    registry,
    {
      describe({ badge }) {
        if (badge === Badge.ANYONE) return { name: "anyone", core: init.ownCore, labelled: false };
        const found = services.identity(badge) ?? users.identity(badge);
        if (found === undefined) throw new IpcError(Err.NOT_FOUND, "describe");
        return { name: found.name, core: found.core, labelled: found.labelled };
      },
      *deposit({ number, capability }, { badge }) {
        const error = users.isBridge(badge) ? deposits.objection(number) : Err.DENIED;
        if (error !== Err.OK) {
          yield* init.drop(capability);
          throw new IpcError(error, "deposit");
        }
        deposits.put(number, capability);
      },
      *withdraw({ number }, { badge }) {
        if (!users.isBridge(badge)) throw new IpcError(Err.DENIED, "withdraw");
        yield* deposits.drop(number);
      },
    },
    { slots: init.slots, onNotification: (bits) => supervisor.attend(bits) },
  );
  return FAILURE;
}

/** Reacts to init's notification. */
class Supervisor {
  #halted = false;

  constructor(
    private readonly init: Authority,
    private readonly control: ControlPort,
    private readonly services: Services,
    private readonly users: Users,
  ) {}

  *attend(bits: number): Steps<void> {
    for (let bit = FIRST_SERVICE_BIT; bit < BITS; bit++) {
      if ((bits & (2 ** bit)) === 0) continue;
      yield* this.#guarded(
        null,
        bit < FIRST_USER_BIT ? this.#service(bit - FIRST_SERVICE_BIT) : this.#users(bit - FIRST_USER_BIT),
      );
    }
    // Always: what was just said wants to go out, and the host may have taken what waited.
    yield* this.#guarded(null, this.#converse());
  }

  *#service(index: number): Steps<void> {
    const outcome = yield* this.services.attend(index);
    if (outcome === "failed-essential") yield* this.#halt(FAILURE);
  }

  *#users(watcher: number): Steps<void> {
    for (const exit of yield* this.users.attend(watcher)) this.control.send(exit);
  }

  /** Reads requests as long as the host takes the answers. */
  *#converse(): Steps<void> {
    while (!this.#halted && (yield* this.control.flush())) {
      const lines = yield* this.control.read();
      if (lines === null) return;
      for (const line of lines) yield* this.#guarded(null, this.#request(line));
    }
  }

  *#request(incoming: Incoming): Steps<void> {
    if (this.#halted) return;
    if ("tooLong" in incoming)
      throw new BadRequest(
        idOf(incoming.tooLong),
        `the request is too long: more than ${MAX_REQUEST_BYTES} bytes`,
      );
    const request = parseRequest(incoming.line, this.init.cores);
    switch (request.op) {
      case "run":
        yield* this.#guarded(request.id, this.users.run(request));
        break;
      case "give":
        yield* this.#guarded(request.id, this.#give(request));
        break;
      case "kill":
        yield* this.#guarded(request.id, this.#kill(request.id));
        break;
      case "kill-service":
        yield* this.#guarded(request.id, this.#killService(request.id, request.service));
        break;
      case "memory": {
        const { freeBytes, largestBytes } = this.init.memory;
        this.control.send({ event: "memory", freeBytes, largestBytes });
        break;
      }
      case "halt":
        yield* this.#halt(request.status);
        break;
    }
  }

  *#give(request: Extract<CheckedRequest, { readonly op: "give" }>): Steps<void> {
    yield* this.users.give(request);
    this.control.send({ event: "done", id: request.id });
  }

  *#kill(id: number): Steps<void> {
    const exit = yield* this.users.kill(id);
    if (exit !== null) this.control.send(exit);
  }

  *#killService(id: number | null, service: string): Steps<void> {
    if (!(yield* this.services.kill(service)))
      throw new Refusal(`no service ${JSON.stringify(service.slice(0, 64))} runs`);
    this.control.send({ event: "done", id });
  }

  *#halt(status: number): Steps<void> {
    yield* this.control.flush();
    this.#halted = true;
    yield* debug.halt(this.init.sys, this.init.debug, status);
  }

  /** Carries something out; what goes wrong becomes an event. */
  *#guarded(id: number | null, steps: Steps<void>): Steps<void> {
    try {
      yield* steps;
    } catch (error) {
      const about = error instanceof BadRequest ? error.id : id;
      const message = error instanceof Error ? error.message : String(error);
      this.control.send(this.#error(about, message));
    }
  }

  #error(id: number | null, message: string): ControlEvent {
    return { event: "error", id, message };
  }
}
