/** The commands of a shell: a table of them, and what each does. */
import { resolve } from "node:path";
import { type Image, visible, visibleJson, visibleLines } from "@capos/abi";
import { LogLevel, levelName, type Protocol } from "@capos/libos";
import { parseDescription } from "@capos/libos/wire";
import { compileGuest, describeFault, type FaultText, type Shell, type ShellEnd } from "@capos/machine";
import { LOG_LEVELS } from "@capos/machine/defaults";
import { ExitStatus, MachineError, UsageError } from "@capos/machine/errors";
import { unknownName } from "../unknown-name.js";
import { capabilityLines, cspaceOf, processLines, renderCapabilities, renderProcesses } from "./view.js";

/** Where a shell's text goes. */
export interface Screen {
  out(text: string): unknown;
  err(text: string): unknown;
}

/** What commands work with. */
export class Commands {
  /** Images of programs that run, for the places of their faults. */
  readonly #images = new Map<number, Image>();
  /** Faults of those that have ended. */
  readonly #faults = new Map<number, FaultText>();
  /** Programs whose ends were told. */
  readonly #told = new Set<number>();
  readonly #started = new Set<number>();
  #logLevel: number = LogLevel.INFO;
  #isWatching = false;

  constructor(
    readonly shell: Shell,
    readonly screen: Screen,
    readonly json: boolean,
    /** Whether ends are told that nobody asked about and nothing is wrong with. */
    readonly isChatty: boolean,
  ) {}

  /** Runs a command; true if it was the last. @throws UsageError, MachineError; the signal's reason */
  async run([name = "", ...words]: readonly string[], signal: AbortSignal): Promise<boolean> {
    const command = COMMANDS.find((one) => one.name === name);
    if (command === undefined) throw unknownName("command", name, commandNames(), "help");
    if (words[0] === "--help") this.screen.out(helpOf(command));
    else if (command.name === "exit") {
      if (words.length > 0) throw wrongUse(command);
      return true;
    } else await command.run(this, words, signal);
    return false;
  }

  /** Tells how a program ended, once. */
  tellEnd(end: ShellEnd, isAsked: boolean): void {
    const isFine = end.state === "exited" && end.status === 0;
    if (this.#told.has(end.pid) || (isFine && !isAsked && !this.isChatty)) return;
    this.#told.add(end.pid);
    const text = `${endLines(end, this.#faultOf(end)).join("\n")}\n`;
    if (isFine || isAsked) this.screen.out(text);
    else this.screen.err(text);
  }

  #faultOf({ pid, fault, places }: ShellEnd): FaultText {
    const image = this.#images.get(pid);
    const known = this.#faults.get(pid);
    if (known !== undefined || image === undefined || fault === "")
      return known ?? { fault: visible(fault), stack: [] };
    const described = describeFault(image, fault, places);
    this.#images.delete(pid);
    this.#faults.set(pid, described);
    return described;
  }

  /** Shows a record of the log, if it is watched. */
  tellLog(line: string): void {
    if (!this.#isWatching) return;
    const { level, process, text } = JSON.parse(line) as { level: number; process?: string; text: string };
    if (level >= this.#logLevel)
      this.screen.out(`${levelName(level)} ${visible(process ?? "")}: ${visible(text)}\n`);
  }

  print(data: unknown, text: () => string): void {
    this.screen.out(this.json ? `${visibleJson(data)}\n` : text());
  }

  async start(words: readonly string[], signal: AbortSignal): Promise<void> {
    const { core, priority, memory, rest } = startOptions(words);
    const [file, ...args] = rest;
    if (file === undefined) throw wrongUse(commandOf("start"));
    if (args.some((text) => text.includes("\0"))) throw new UsageError("start: an argument contains a NUL");
    const image = await compileGuest(resolve(file), { signal });
    const pid = await this.shell.start({ image, args, core, priority, memoryBits: Math.log2(memory * 1024) });
    this.#images.set(pid, image);
    this.#started.add(pid);
    this.print({ pid }, () => `${pid} ${visible(image.name)}\n`);
  }

  async stop(pid: number, signal: AbortSignal): Promise<void> {
    const ended = this.shell.wait(pid);
    ended.catch(() => {});
    await orAborted(this.shell.end(pid), signal);
    this.tellEnd(await orAborted(ended, signal), true);
  }

  /** Waits for the ends of programs; of all that it has started unless some are named. @throws MachineError if one of them failed */
  async wait(pids: readonly number[], signal: AbortSignal): Promise<void> {
    const ends = await orAborted(
      Promise.all((pids.length === 0 ? [...this.#started] : pids).map((pid) => this.shell.wait(pid))),
      signal,
    );
    for (const end of ends) {
      this.#started.delete(end.pid);
      if (this.json) {
        this.#told.add(end.pid);
        const { places: _, ...more } = end;
        this.screen.out(`${visibleJson({ ...more, ...this.#faultOf(end) })}\n`);
      } else this.tellEnd(end, true);
    }
    const failed = ends.filter((end) => end.state !== "exited" || end.status !== 0);
    if (failed.length > 0)
      throw new MachineError(`${failed.map((end) => end.pid).join(", ")} failed`, ExitStatus.FAILED);
  }

  async call(name: string, method: string, json: string, signal: AbortSignal): Promise<void> {
    const protocol = await this.protocolOf(name, signal);
    const names = methodNames(protocol);
    if (!names.includes(method))
      throw unknownName(`${visible(name)}: method`, method, names, `methods ${visible(name)}`);
    const values = await orAborted(this.shell.call(name, method, objectOf(json), signal), signal);
    this.print(values, () => (Object.keys(values).length === 0 ? "" : `${visibleJson(values)}\n`));
  }

  async protocolOf(name: string, signal?: AbortSignal): Promise<Protocol> {
    const described = await orAborted(this.shell.describe(name, signal), signal);
    const protocol = parseDescription(described);
    if (protocol === null) throw new MachineError(`${name} does not say what it serves`, ExitStatus.FAILED);
    return protocol;
  }

  async watchLog(level: number, signal: AbortSignal): Promise<void> {
    this.#logLevel = level;
    this.#isWatching = true;
    await this.shell.watchLog(true);
    try {
      await orAborted(new Promise<never>(() => {}), signal);
    } finally {
      this.#isWatching = false;
      await this.shell.watchLog(false);
    }
  }
}

interface Command {
  readonly name: string;
  readonly usage: string;
  readonly about: string;
  run(commands: Commands, words: readonly string[], signal: AbortSignal): unknown;
}

const MAX_CORE = 63;
const MAX_PRIORITY = 149;
const MAX_PID = 2 ** 32 - 1;
const MAX_MEMORY_KIB = 2 ** 20;
const DEFAULT_PRIORITY = 100;
const DEFAULT_MEMORY_KIB = 1024;

export const COMMANDS: readonly Command[] = [
  {
    name: "help",
    usage: "help [COMMAND]",
    about: "show what there is, or what a command takes",
    run({ screen }, words) {
      const [name] = words;
      if (words.length > 1) throw wrongUse(commandOf("help"));
      if (name === undefined) {
        const width = Math.max(...COMMANDS.map(({ usage }) => usage.length));
        screen.out(COMMANDS.map(({ usage, about }) => `${usage.padEnd(width)}  ${about}\n`).join(""));
        return;
      }
      const command = COMMANDS.find((one) => one.name === name);
      if (command === undefined) throw unknownName("command", name, commandNames(), "help");
      screen.out(helpOf(command));
    },
  },
  {
    name: "ps",
    usage: "ps",
    about: "list the processes: number, name, cores, threads, state",
    async run(commands, words) {
      if (words.length > 0) throw wrongUse(commandOf("ps"));
      const lines = processLines(await commands.shell.look());
      commands.print(lines, () => renderProcesses(lines));
    },
  },
  {
    name: "start",
    usage: "start [--core N] [--priority N] [--memory KIB] FILE [ARGS...]",
    about: "start a program, which ends with this shell; its output comes here",
    run: (commands, words, signal) => commands.start(words, signal),
  },
  {
    name: "stop",
    usage: "stop PID",
    about: "end a program, and everything made for it, and tell how it ended",
    run: (commands, words, signal) => commands.stop(pidOf(commandOf("stop"), words), signal),
  },
  {
    name: "kill",
    usage: "kill PID",
    about: "end a program and say nothing",
    async run(commands, words, signal) {
      const pid = pidOf(commandOf("kill"), words);
      await orAborted(commands.shell.end(pid), signal);
    },
  },
  {
    name: "wait",
    usage: "wait [PID...]",
    about:
      "wait for programs to end (all that this shell has started unless some are named); fails if one failed",
    run: (commands, words, signal) =>
      commands.wait(
        words.map((word) => pidOf(commandOf("wait"), [word])),
        signal,
      ),
  },
  {
    name: "caps",
    usage: "caps PID",
    about: "list a process's capabilities: slot, kind and object, rights, badge",
    async run(commands, words) {
      const pid = pidOf(commandOf("caps"), words);
      const cspace = cspaceOf((await commands.shell.look()).state, pid);
      if (cspace === undefined)
        throw new MachineError(`caps: there is no process ${pid}; ps lists them`, ExitStatus.FAILED);
      commands.print(capabilityLines(cspace), () => renderCapabilities(cspace));
    },
  },
  {
    name: "names",
    usage: "names",
    about: "list the registered names",
    async run(commands, words) {
      if (words.length > 0) throw wrongUse(commandOf("names"));
      const names = await commands.shell.names();
      commands.print(names, () => names.map((name) => `${visible(name)}\n`).join(""));
    },
  },
  {
    name: "methods",
    usage: "methods NAME",
    about: "show the methods of what is registered under a name, as it describes them itself",
    async run(commands, words, signal) {
      const [name] = words;
      if (name === undefined || words.length > 1) throw wrongUse(commandOf("methods"));
      const protocol = await commands.protocolOf(name, signal);
      commands.print(
        protocol.methods.map((method) => ({ name: method.name, ...fieldsOf(protocol, method.name) })),
        () =>
          methodNames(protocol)
            .map((method) => `${visibleLines(signatureOf(protocol, method))}\n`)
            .join(""),
      );
    },
  },
  {
    name: "call",
    usage: 'call NAME METHOD [{"FIELD": VALUE, ...}]',
    about:
      "call a method of what is registered under a name; a capability is given as the name that stands for it",
    run(commands, words, signal) {
      const [name, method, json = "{}"] = words;
      if (name === undefined || method === undefined || words.length > 3) throw wrongUse(commandOf("call"));
      return commands.call(name, method, json, signal);
    },
  },
  {
    name: "log",
    usage: "log [LEVEL]",
    about: "watch the log, from a level on (info), until Ctrl-C",
    async run(commands, words, signal) {
      const [level = "info"] = words;
      const at = LOG_LEVELS.indexOf(level as (typeof LOG_LEVELS)[number]);
      if (words.length > 1) throw wrongUse(commandOf("log"));
      if (at < 0 || level === "silent")
        throw unknownName(
          "log: level",
          level,
          LOG_LEVELS.slice(0, -1),
          "trace, debug, info, warn, error, fatal: log",
        );
      await commands.watchLog((at + 1) * LogLevel.TRACE, signal);
    },
  },
  { name: "exit", usage: "exit", about: "leave the shell, which ends what it has started", run() {} },
];

export function commandNames(): string[] {
  return COMMANDS.map(({ name }) => name);
}

function commandOf(name: string): Command {
  return COMMANDS.find((command) => command.name === name)!;
}

function helpOf({ usage, about }: Command): string {
  return `${usage}\n    ${about}\n`;
}

function wrongUse({ name, usage }: Command): UsageError {
  return new UsageError(`${name}: as in ${usage}`);
}

function pidOf(command: Command, words: readonly string[]): number {
  const [word] = words;
  if (word === undefined || words.length > 1) throw wrongUse(command);
  return wholeNumber(command.name, word, 1, MAX_PID, "the number of a process, as ps lists them");
}

function wholeNumber(
  what: string,
  word: string | undefined,
  low: number,
  high: number,
  needed = `a whole number from ${low} to ${high}`,
): number {
  const value = word === undefined || !/^\d+$/.test(word) ? Number.NaN : Number(word);
  if (!(value >= low && value <= high))
    throw new UsageError(
      `${what}: ${word === undefined ? "nothing" : visible(word)} was given, ${needed} is needed`,
    );
  return value;
}

function startOptions(words: readonly string[]) {
  let core: number | null = null;
  let priority = DEFAULT_PRIORITY;
  let memory = DEFAULT_MEMORY_KIB;
  let at = 0;
  for (; words[at]?.startsWith("--"); at += 2) {
    const [option, value] = [words[at]!, words[at + 1]];
    if (option === "--core") core = wholeNumber("start: --core", value, 0, MAX_CORE);
    else if (option === "--priority") priority = wholeNumber("start: --priority", value, 0, MAX_PRIORITY);
    else if (option === "--memory") {
      memory = wholeNumber("start: --memory", value, 1, MAX_MEMORY_KIB);
      if (!Number.isInteger(Math.log2(memory)))
        throw new UsageError(
          `start: --memory: ${memory} was given, a power of two from 1 to ${MAX_MEMORY_KIB} is needed`,
        );
    } else throw unknownName("start: option", option, ["--core", "--priority", "--memory"], "help start");
  }
  return { core, priority, memory, rest: words.slice(at) };
}

/** The object that JSON is. */
function objectOf(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new UsageError(`call: ${visible(json)} is no JSON object, as in {"key": "x", "count": 3}`);
}

/** Methods that can be called, without the one that typed capabilities have for themselves. */
export function methodNames(protocol: Protocol): string[] {
  const needing = protocol.methods.some(({ needs }) => needs !== 0);
  return protocol.methods.map(({ name }) => name).filter((name) => !(needing && name === "narrow"));
}

/** `get(key: text<=32): (value: u32)`, from the description. */
export function signatureOf(protocol: Protocol, method: string): string {
  const { request, reply } = fieldsOf(protocol, method);
  const list = (fields: Readonly<Record<string, string>>): string =>
    Object.entries(fields)
      .map(([name, type]) => `${name}: ${type}`)
      .join(", ");
  return `${method}(${list(request)}): (${list(reply)})`;
}

/** Fields and their types, as they are described. */
export function fieldsOf(protocol: Protocol, method: string) {
  const [, inner = ""] = /^[^{]*\{(.*)\}$/s.exec(protocol.description) ?? [];
  const index = protocol.methods.findIndex(({ name }) => name === method);
  const [, request = "", reply = ""] = /\((.*)\):\((.*)\)$/s.exec(inner.split(";")[index] ?? "") ?? [];
  const fields = (text: string): Record<string, string> =>
    Object.fromEntries(
      (text === "" ? [] : text.split(",")).map((field) => {
        const at = field.indexOf(":");
        return [field.slice(0, at), field.slice(at + 1)];
      }),
    );
  return { request: fields(request), reply: fields(reply) };
}

function endLines({ pid, name, state, status }: ShellEnd, { fault, stack }: FaultText): string[] {
  const who = name === "" ? String(pid) : `${pid} ${visible(name)}`;
  if (state === "exited") return [`${who}: exited with status ${status}`];
  if (state === "killed") return [`${who}: killed`];
  return [`${who}: faulted: ${fault}`, ...(stack.length > 1 ? stack : []).map((frame) => `    ${frame}`)];
}

/** Waits for what may take long. @throws the signal's reason */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let leave!: () => void;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
