/** A program of one's own as the explorer sees it. */
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { CheckFileError } from "../campaign/files.js";
import type { Coroutine } from "../explore/runtime.js";
import { CoreStatus, type VirtualCore } from "../explore/virtual-core.js";
import type { VirtualCores } from "../explore/virtual-cores.js";
import type { Finding, World } from "../explore/world.js";
import { shortestExcerpt } from "../history/excerpt.js";
import { checkHistory } from "../history/linearizability.js";
import { compile } from "../transform/instantiate.js";
import type { Program } from "../transform/program.js";
import type { Memory, Operation, Operations, ProgramContext, ScenarioDefinition } from "./define.js";
import { handlesOf, isOfHandle, UNSEEN } from "./handles.js";
import { type LoadedScenario, messageOf } from "./load.js";
import type { $Recorder, RecorderHost } from "./recorder.js";

type CoreFunction = (context: ProgramContext) => unknown;
type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Of a program without a specification. */
const NO_OPERATIONS: Operations = Object.freeze({
  begin: () => 0,
  end() {},
});

/** Where a program's own code stands in an error's stack. */
const FRAME = /program-[0-9a-f]+\.js:(\d+):(\d+)/;

export class OwnWorld implements World {
  readonly cores: number;
  readonly views: Memory;
  readonly handles: Memory;
  readonly watched: readonly number[] = [];

  private readonly definition: ScenarioDefinition;
  /** The word that orders begins and ends of operations: behind the scenario's own. */
  private readonly instants: number;
  /** Names of parts of memory, the last first. */
  private readonly names: readonly (readonly [string, number])[];
  private readonly run: ReturnType<typeof compile>;
  private results: unknown[] = [];
  private operations: Mutable<Operation>[] = [];
  private time = 0;
  private map: TraceMap | null = null;

  /** @throws CheckFileError for a program that throws when it is loaded, or lacks a function. */
  constructor(
    private readonly scenario: LoadedScenario,
    private readonly program: Program,
    private readonly runtime: VirtualCores,
  ) {
    const { definition } = scenario;
    const { words, names } = definition;
    this.definition = definition;
    this.cores = definition.cores.length;
    this.instants = words;
    this.views = viewsOf(words, definition.specification === undefined ? 0 : 1);
    this.handles = handlesOf(this.views);
    this.names = Object.entries(names ?? {}).sort(([, one], [, other]) => other - one);
    this.run = compile(program);
    this.asked("begin", () => definition.begin?.(this.views));
    this.checkFunctions();
  }

  private checkFunctions(): void {
    const { file, definition } = this.scenario;
    let exported: Record<string, unknown>;
    try {
      exported = this.instance();
    } catch (error) {
      throw new CheckFileError(`${this.scenario.program} throws when it is loaded: ${messageOf(error)}`);
    }
    for (const name of definition.cores) {
      const kind = Object.prototype.toString.call(exported[name]);
      if (typeof exported[name] !== "function")
        throw new CheckFileError(`${file}: cores: the program exports no function ${name}`);
      // A twin is a generator of its own name.
      const isTwin =
        kind === "[object GeneratorFunction]" && (exported[name] as CoreFunction).name.endsWith("$");
      if (kind !== "[object Function]" && !isTwin)
        throw new CheckFileError(
          `${file}: cores: make ${name} an ordinary function: what it waits for, it waits for by Atomics.wait`,
        );
    }
  }

  /** The program's exports, from its modules run anew: what they keep is one core's in one schedule. */
  private instance(): Record<string, unknown> {
    const host: RecorderHost = {
      began: (core, name, argument) => {
        const start = this.time++;
        const end = Number.POSITIVE_INFINITY;
        return this.operations.push({ core, name, argument, result: undefined, start, end }) - 1;
      },
      ended: (operation, result) => {
        const it = this.operations[operation];
        if (it === undefined) throw new RangeError(`operations.end: begin gave no ${operation}`);
        it.result = result;
        it.end = this.time++;
      },
    };
    return this.run(this.runtime, { ...host });
  }

  reset(): void {
    this.results = this.definition.cores.map(() => undefined);
    this.operations = [];
    this.time = 0;
  }

  *start(core: number): Coroutine<void> {
    try {
      const exported = this.instance();
      const recorder = exported.$Recorder as typeof $Recorder | undefined;
      const operations =
        recorder === undefined ? NO_OPERATIONS : new recorder(this.handles.i32, this.instants, core);
      const code = exported[this.definition.cores[core]] as CoreFunction;
      const result = code({ ...this.handles, core, operations });
      this.results[core] = isCoroutine(result) ? yield* result : result;
    } catch (error) {
      throw this.placed(error);
    }
  }

  /** The error with the place in the source, for people. */
  private placed(error: unknown): Error {
    const placed = new Error(isOfHandle(error) ? UNSEEN : messageOf(error));
    const stack = error instanceof Error ? (error.stack ?? "") : "";
    const [, line, column] = FRAME.exec(stack) ?? [];
    placed.stack = `${placed.message}\n`;
    if (line === undefined) return placed;
    this.map ??= new TraceMap(mapOf(this.program));
    const found = originalPositionFor(this.map, { line: Number(line), column: Number(column) - 1 });
    if (found.source !== null) {
      const file = relative(dirname(this.scenario.file), fileURLToPath(found.source));
      placed.stack += `(${file}:${found.line})`;
    }
    return placed;
  }

  orderedBy(word: number): string | null {
    const name = this.partOf(word)?.[0];
    return name === undefined ? null : (this.definition.racing?.[name] ?? null);
  }

  publishes(): boolean {
    return false;
  }

  isIndifferent(): boolean {
    return false;
  }

  atRest(): null {
    return null;
  }

  timerDue(): boolean {
    return this.definition.timeouts === true;
  }

  finish(waiting: number): Finding | null {
    const { definition, views, results, operations } = this;
    for (const core of this.runtime.cores)
      if (((waiting >> core.id) & 1) !== 0 && definition.mayWait?.includes(core.id) !== true)
        return this.waitsForEver(core);
    const problem = this.asked("atEnd", () => definition.atEnd?.({ ...views, results, operations }) ?? null);
    if (problem !== null) return { kind: "assertion", message: problem };
    return this.asked("specification", () => this.judgeHistory());
  }

  private waitsForEver(core: VirtualCore): Finding {
    const word = this.describe(core.word);
    const value = this.views.i32[core.word];
    const sites = [core.site];
    if (core.status !== CoreStatus.WAITING)
      return {
        kind: "deadlock",
        message: `core ${core.id} spins for ever on ${word}, which stays ${value}`,
        sites,
      };
    if (value === core.a)
      return {
        kind: "deadlock",
        message: `core ${core.id} waits for ever on ${word}, which stays ${value}`,
        sites,
      };
    return {
      kind: "lost wake-up",
      message: `core ${core.id} waits for ever on ${word}, which is ${value} and no longer ${core.a}: nobody woke it`,
      sites,
    };
  }

  private judgeHistory(): Finding | null {
    const { specification } = this.definition;
    if (specification === undefined) return null;
    const verdict = checkHistory(specification, this.operations);
    if (verdict.outcome !== "violation") return null;
    const texts = shortestExcerpt(specification, this.operations).map(textOf);
    return { kind: "history", message: `no order of whole operations explains ${texts.join(", ")}` };
  }

  describe(word: number): string {
    if (word === this.instants) return "begins and ends of operations";
    const [name, first] = this.partOf(word) ?? ["word", 0];
    if (name === "word") return `word ${word}`;
    return word === first ? name : `${name} + ${word - first}`;
  }

  private partOf(word: number): readonly [string, number] | undefined {
    return word >= this.definition.words ? undefined : this.names.find(([, first]) => first <= word);
  }

  /** What a function of the scenario answers. @throws CheckFileError for what it throws. */
  private asked<Answer>(name: string, ask: () => Answer): Answer {
    try {
      return ask();
    } catch (error) {
      throw new CheckFileError(`${this.scenario.file}: ${name} throws: ${messageOf(error)}`);
    }
  }
}

function viewsOf(words: number, more: number): Memory {
  // f64 needs an even number.
  const buffer = new SharedArrayBuffer((words + more + 1) * 4);
  return {
    i32: new Int32Array(buffer, 0, words + more),
    f64: new Float64Array(buffer, 0, Math.floor(words / 2)),
    u8: new Uint8Array(buffer, 0, words * 4),
  };
}

function isCoroutine(value: unknown): value is Coroutine {
  return Object.prototype.toString.call(value) === "[object Generator]";
}

/** The source map that a program's code ends in. */
function mapOf({ code }: Program): string {
  return Buffer.from(code.slice(code.lastIndexOf(",") + 1), "base64").toString();
}

function textOf({ core, name, argument, result, start, end }: Operation): string {
  const taken = argument === undefined ? "" : String(argument);
  const span = Number.isFinite(end) ? `${start} to ${end}` : `from ${start} on`;
  const answer = Number.isFinite(end) ? ` = ${String(result)}` : "";
  return `core ${core} ${name}(${taken})${answer} (${span})`;
}
