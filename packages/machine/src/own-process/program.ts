/**
 * The program of a machine's own process: a machine as in any process, and the application at the other end of the
 * channel. The process ends with its machine, and with the application's process, however that ends.
 */
import process from "node:process";
import { createBirpc } from "birpc";
import type { Backend } from "../backend.js";
import { bootHere } from "../in-process.js";
import type { BootOptions } from "../options.js";
import { type MachineSide, type OwnerSide, type PlainOptions, settle } from "./protocol.js";

/** Lines that come one after the other, as one message. */
class Batch {
  #lines: string[] = [];
  #taken: Promise<void> | null = null;

  constructor(private readonly send: (lines: readonly string[]) => Promise<void>) {}

  /** Answers a promise that is settled when the line was taken. */
  readonly push = (line: string): Promise<void> => {
    this.#lines.push(line);
    this.#taken ??= this.#flush();
    return this.#taken;
  };

  async #flush(): Promise<void> {
    // After all lines that came at once.
    await null;
    this.#taken = null;
    await this.send(this.#lines.splice(0));
  }
}

let machine: Backend | null = null;

async function boot({ lastMomentsHref, hasInput, ...plain }: PlainOptions): Promise<Backend> {
  const options: BootOptions = {
    ...plain,
    ...(lastMomentsHref !== null && { lastMoments: new URL(lastMomentsHref) }),
    ...(hasInput && { onInput: () => owner.input() }),
    onConsole: new Batch((lines) => owner.console(lines)).push,
    onKernel: (text) => void owner.kernel.asEvent(text),
  };
  const backend = await bootHere(options, new Batch((lines) => owner.log(lines)).push);
  machine = backend;
  backend.onBridge = (bytes) => void owner.bridge.asEvent(bytes);
  void backend.ended.then(async (report) => {
    await owner.ended(report);
    process.exit();
  });
  return backend;
}

const functions: MachineSide = {
  boot: (options) =>
    settle(async () => {
      const { cores, memoryMiB, powerToInitNs } = await boot(options);
      return { cores, memoryMiB, powerToInitNs };
    }),
  run: (pid, image, request) => settle(() => machine!.run(pid, image, request)),
  give: (to, slot, what) => settle(() => machine!.give(to, slot, what)),
  kill: (pid) => machine!.kill(pid),
  inspect: () => settle(() => machine!.inspect()),
  standstill: (hasIdleBridge) => settle(() => machine!.standstill(hasIdleBridge)),
  plug: (core) => settle(() => machine!.plug(core)),
  unplug: (core) => settle(() => machine!.unplug(core)),
  killService: (service) => settle(() => machine!.killService(service)),
  sendBridge: (bytes) => machine!.sendBridge(bytes),
  feed: (bytes) => machine!.feed(bytes),
  closeInput: () => machine!.closeInput(),
  halt: (status) => machine!.halt(status),
};

const owner = createBirpc<OwnerSide, MachineSide>(functions, {
  // An owner that is gone is told of below.
  post: (message) => void process.send!(message, undefined, undefined, () => {}),
  on: (listener) => void process.on("message", listener),
  timeout: -1,
});

// At once and for sure: nobody is left for whom to halt.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
// A terminal's signals go to both: what they mean is for the application to say.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
