/**
 * What processes, threads and endpoints of a machine are called: as the trace tells of their births, and as
 * memory has those that were born before it begins.
 */
import type { PhysicalMemory } from "@capos/hal";
import { threadIdentity } from "@capos/inspect";
import { TraceEvent } from "@capos/kernel/trace-events";
import type { TraceRecord } from "@capos/trace";

export interface ThreadName {
  readonly number: number;
  readonly process: number;
  /** For people: its process, and its index in it unless it is the first. */
  readonly name: string;
}

export class Names {
  readonly #processes = new Map<number, string>();
  readonly #threads = new Map<number, ThreadName>();
  /** By whose thread received from an endpoint last. */
  readonly #endpoints = new Map<number, string>();

  constructor(private readonly memory: PhysicalMemory) {}

  /** Learns from an event. */
  learn({ event, fields, text }: TraceRecord): void {
    if (event === TraceEvent.PROCESS_BIRTH) this.#processes.set(fields[0], text);
    else if (event === TraceEvent.THREAD_BIRTH) this.#bear(fields[0], fields[1], fields[2]);
    else if (event === TraceEvent.DELIVER || event === TraceEvent.PASS)
      this.#endpoints.set(fields[3], this.process(this.thread(fields[2]).process));
  }

  thread(number: number): ThreadName {
    const known = this.#threads.get(number);
    if (known !== undefined) return known;
    const found = threadIdentity(this.memory, number);
    if (found === null)
      return this.#set({ number, process: 0, name: number === 0 ? "kernel" : `thread ${number}` });
    if (!this.#processes.has(found.process)) this.#processes.set(found.process, found.processName);
    return this.#add(number, found.process, found.index);
  }

  process(number: number): string {
    return this.#processes.get(number) || (number === 0 ? "unknown" : `process ${number}`);
  }

  /** Who answers an endpoint; "" if nobody has. */
  endpoint(address: number): string {
    return this.#endpoints.get(address) ?? "";
  }

  /** A thread is born, perhaps into a process whose birth is not in the trace. */
  #bear(number: number, process: number, index: number): void {
    if (!this.#processes.has(process)) {
      const found = threadIdentity(this.memory, number);
      if (found?.process === process) this.#processes.set(process, found.processName);
    }
    this.#add(number, process, index);
  }

  #add(number: number, process: number, index: number): ThreadName {
    const name = this.process(process);
    return this.#set({ number, process, name: index === 0 ? name : `${name}/${index}` });
  }

  #set(thread: ThreadName): ThreadName {
    this.#threads.set(thread.number, thread);
    return thread;
  }
}
