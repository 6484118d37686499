/**
 * The services: started from the system description, and started again when they die.
 *
 * Init keeps each service's endpoint; a new process receives from the same one, so what clients hold
 * stays good: those whose call was being answered get `PEER_DIED`, those in the queue wait on. A
 * service that dies too often has failed. It stays down, and the machine halts if it is essential; if
 * it is not, calls to it wait, as to any endpoint that nobody receives from.
 */
import { lifeName, ObjectType, Right } from "@capos/abi";
import { debug, type Gift, type ProcessStatus, process, type Steps } from "@capos/libos";
import type { ServiceEvent } from "../control-protocol.js";
import type { Identity } from "../registry.js";
import {
  Badge,
  IMAGES,
  SERVICE_CNODE_BITS,
  SERVICE_THREADS,
  SERVICES,
  type ServiceDescription,
  ServiceSignal,
} from "../system.js";
import type { Authority } from "./authority.js";
import { buryIfEnded, type Child, startChild } from "./child.js";

/** What clients hold of a service. */
const CLIENT_RIGHTS = Right.SEND | Right.GRANT;

interface Service {
  readonly description: ServiceDescription;
  readonly badge: number;
  readonly core: number;
  readonly endpoint: number;
  /** 0 if it needs none. */
  readonly notification: number;
  /** The notification's end by which init says that a process has ended, or 0. */
  readonly endings: number;
  readonly watcher: number;
  readonly image: number;
  child: Child | null;
  /** When it was started again, as far as that still counts. */
  restartsNs: number[];
}

/** What a service's end leads to. */
export type Outcome = "restarted" | "failed" | "failed-essential";

export class Services {
  private constructor(
    private readonly init: Authority,
    private readonly registry: number,
    private readonly services: readonly Service[],
    private readonly report: (event: ServiceEvent) => void,
  ) {}

  /**
   * Makes what outlives the services' processes: endpoints and notifications; and takes their images.
   *
   * @param registry endpoint that init answers
   * @param watch makes a capability that signals init that service number i has ended
   */
  static *prepare(
    init: Authority,
    registry: number,
    watch: (index: number) => Steps<number>,
    report: (event: ServiceEvent) => void,
  ): Steps<Services> {
    const services: Service[] = [];
    for (const [index, description] of SERVICES.entries()) {
      const notified = description.needs.includes("notification");
      const notification = notified ? yield* init.make(ObjectType.NOTIFICATION) : 0;
      services.push({
        description,
        badge: Badge.FIRST_SERVICE + index,
        core: description.core % init.cores,
        endpoint: yield* init.make(ObjectType.ENDPOINT),
        notification,
        endings: notified ? yield* init.mint(notification, Right.SEND, ServiceSignal.ENDED) : 0,
        watcher: yield* watch(index),
        image: yield* init.image(IMAGES.indexOf(description.image)),
        child: null,
        restartsNs: [],
      });
    }
    return new Services(init, registry, services, report);
  }

  get names(): string[] {
    return this.services.map(({ description }) => description.name);
  }

  /** Starts them all. Throws if one cannot be started: there is no system then. */
  *startAll(): Steps<void> {
    for (const service of this.services) {
      yield* this.#start(service);
      this.report({ event: "service", name: service.description.name, state: "started", fault: "" });
    }
  }

  /** A client's end of a service, for a process with this badge. */
  client(name: string, badge: number): Gift {
    const { endpoint } = this.services.find(({ description }) => description.name === name)!;
    return { handle: endpoint, rights: CLIENT_RIGHTS, badge };
  }

  /** Who has a badge, if it is a service's. */
  identity(badge: number): Identity | undefined {
    const service = this.services[badge - Badge.FIRST_SERVICE];
    return service === undefined
      ? undefined
      : { name: service.description.name, core: service.child?.core ?? service.core, labelled: false };
  }

  /** Tells the services that want to know that a process has ended. */
  *tellEnding(): Steps<void> {
    // A signal waits for nobody.
    for (const { endings } of this.services) if (endings !== 0) yield this.init.sys.notify(endings);
  }

  /** Ends a service as a fault would. False if there is none of that name, or it is down. */
  *kill(name: string): Steps<boolean> {
    const service = this.services.find(({ description }) => description.name === name);
    if (service === undefined || service.child === null) return false;
    // Its watcher does the rest, as for any other death.
    yield* process.kill(this.init.sys, service.child.process);
    return true;
  }

  /** Looks after service number i, whose watcher was signalled. Gives nothing if it runs. */
  *attend(index: number): Steps<Outcome | undefined> {
    const service = this.services[index];
    if (service === undefined || service.child === null) return undefined;
    const status = yield* buryIfEnded(this.init, service.child);
    if (status === null) return undefined;
    service.child = null;
    const fault = describeEnd(status);
    const { name, restart } = service.description;
    const now = yield* debug.clock(this.init.sys, this.init.debug);
    service.restartsNs = service.restartsNs.filter((then) => now - then < restart.windowNs);
    if (service.restartsNs.length >= restart.limit) {
      return yield* this.#fail(
        service,
        `${fault}; restarted ${restart.limit} times in ${restart.windowNs / 1e9} s`,
      );
    }
    service.restartsNs.push(now);
    try {
      yield* this.#start(service);
    } catch (error) {
      return yield* this.#fail(service, `${fault}; cannot be restarted: ${String(error)}`);
    }
    yield* debug.print(this.init.sys, this.init.debug, `init: ${name} ${fault}, restarted`);
    this.report({ event: "service", name, state: "restarted", fault });
    return "restarted";
  }

  *#fail(service: Service, fault: string): Steps<Outcome> {
    const { name, essential } = service.description;
    yield* debug.print(this.init.sys, this.init.debug, `init: ${name} has failed: ${fault}`);
    this.report({ event: "service", name, state: "failed", fault });
    return essential ? "failed-essential" : "failed";
  }

  *#start(service: Service): Steps<void> {
    const { description } = service;
    const needsDirectory = description.needs.includes("directory");
    service.child = yield* startChild(this.init, {
      name: description.name,
      image: service.image,
      cores: [service.core, this.init.ownCore],
      priority: description.priority,
      ceiling: description.priority,
      cnodeBits: SERVICE_CNODE_BITS,
      memoryBits: 0,
      threads: SERVICE_THREADS,
      args: needsDirectory ? this.names : [],
      assets: [],
      handed: this.#gifts(service),
      watcher: service.watcher,
    });
  }

  /** In the order in which `service/given.ts` reads them. */
  #gifts(service: Service): Gift[] {
    const { description, endpoint, notification, badge } = service;
    const gifts: Gift[] = [{ handle: endpoint, rights: Right.RECEIVE }];
    for (const need of description.needs) {
      if (need === "port")
        gifts.push({ handle: this.init.port(description.device!), rights: Right.READ | Right.WRITE });
      else if (need === "interrupt")
        gifts.push({ handle: this.init.interrupt(description.device!), rights: Right.WRITE });
      else if (need === "notification")
        gifts.push({ handle: notification, rights: Right.SEND | Right.RECEIVE });
      else if (need === "registry") gifts.push({ handle: this.registry, rights: Right.SEND, badge });
    }
    // Badged like all that clients get: an unbadged one could be minted with the badge of another.
    if (description.needs.includes("directory"))
      for (const name of this.names) gifts.push(this.client(name, Badge.ANYONE));
    return gifts;
  }
}

function describeEnd({ state, status, line, column, fault }: ProcessStatus): string {
  const how = lifeName(state);
  if (fault === "") return how === "exited" ? `exited with status ${status}` : how;
  return `${how}: ${fault}${line === 0 ? "" : ` (line ${line}, column ${column} of its image)`}`;
}
