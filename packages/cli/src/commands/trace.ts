/** `capos-smp trace -- COMMAND`: runs a command and writes what its machines do into a trace file. */
import process from "node:process";
import { ExitStatus, UsageError } from "@capos/machine/errors";
import { TraceMode } from "@capos/trace";
import type { Command } from "commander";
import type { Progress } from "../progress.js";
import type { Output, Session } from "../session.js";
import { listEvents } from "../trace/list.js";
import { loadProtocols, Protocols } from "../trace/protocols.js";
import { Recorder } from "../trace/recorder.js";
import { selectEvents } from "../trace/selection.js";
import { TraceFile } from "../trace/trace-file.js";
import { VERSION } from "../version.js";
import { checkInner, runInner } from "./inner.js";

export interface TraceFlags {
  readonly list?: boolean;
  readonly markdown?: boolean;
  readonly json?: boolean;
  readonly out?: string;
  readonly force?: boolean;
  readonly events?: string;
  readonly last?: number;
  readonly ring?: number;
  readonly whenFull?: "overwrite" | "stop";
  readonly limit?: number;
  readonly protocols?: string;
}

const DEFAULT_FILE = "capos-trace.json";
const DEFAULT_LIMIT_MIB = 512;
const MIB = 1 << 20;

/** Lists events, or traces the inner command; answers its exit status. */
export async function traceCommand(
  words: readonly string[],
  flags: TraceFlags,
  command: Command,
  session: Session,
): Promise<number> {
  if (flags.list === true) {
    session.stdout.write(listEvents(flags));
    return ExitStatus.OK;
  }
  checkInner(command, words);
  if (flags.json === true || flags.markdown === true)
    throw new UsageError(
      "trace: --json and --markdown are for --list; --json of a command stands after its name",
    );
  const { groups, events } = selectEvents(flags.events);
  const mode = flags.whenFull ?? (flags.last === undefined ? "stop" : "overwrite");
  if (flags.last !== undefined && mode === "stop")
    throw new UsageError("--last: a ring that stops when it is full has the first moments, not the last");
  if (flags.ring === 0) throw new UsageError("--ring: a trace needs a ring of 4 KiB at least");
  const others = flags.protocols === undefined ? [] : await loadProtocols(flags.protocols);
  const file = new TraceFile(
    flags.out ?? DEFAULT_FILE,
    flags.limit ?? DEFAULT_LIMIT_MIB,
    flags.force === true,
  );

  const failed = new AbortController();
  const recorder = new Recorder(file, {
    events,
    protocols: new Protocols(others),
    lastMs: flags.last ?? null,
    onError: (error) => failed.abort(error),
  });
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    recorder.stop();
    if (failed.signal.aborted) return;
    if (recorder.machines.length === 0) {
      file.discard();
      return;
    }
    file.close({
      capos: VERSION,
      command: words.join(" "),
      ...{ events: flags.events ?? "all", whenFull: mode, lastMs: flags.last ?? null },
      ...{ limitMiB: flags.limit ?? DEFAULT_LIMIT_MIB, leftOut: file.leftOut },
      machines: recorder.machines,
    });
  };
  // A command may end the process by itself: the file is whole then too.
  const closeAtExit = (): void => {
    try {
      close();
    } catch (error) {
      session.stderr.write(`capos-smp: ${error instanceof Error ? error.message : error}\n`);
      process.exitCode = ExitStatus.USAGE;
    }
  };
  process.on("exit", closeAtExit);
  try {
    const status = await runInner(words, {
      ...{ stdin: session.stdin, stdout: session.stdout, stderr: session.stderr, unread: session.unread },
      ...(session.log !== undefined && { log: session.log }),
      progress: withSize(session.progress, file),
      signal: AbortSignal.any([session.signal, failed.signal]),
      onMachine: recorder.onMachine,
      trace: {
        ...(flags.ring !== undefined && { traceKiB: flags.ring }),
        traceGroups: groups,
        traceMode: mode === "stop" ? TraceMode.STOP : TraceMode.OVERWRITE,
      },
    });
    await recorder.settled();
    return status;
  } finally {
    close();
    process.off("exit", closeAtExit);
    failed.signal.throwIfAborted();
    session.progress.clear();
    report(file, recorder, session.stderr);
  }
}

/** Progress that also says how large the file is. */
function withSize(progress: Progress, file: TraceFile): Progress {
  return {
    show: (what, fraction) => progress.show(`${what} (trace: ${Math.round(file.bytes / MIB)} MiB)`, fraction),
    clear: () => progress.clear(),
  };
}

/** Says what is in the file, and what is not. */
function report(file: TraceFile, { machines }: Recorder, stderr: Output): void {
  if (machines.length === 0) {
    stderr.write("trace: no machine was booted, so there is no trace\n");
    return;
  }
  const lost = machines.flatMap((machine, i) =>
    machine.lost
      .map((count, core) => ({
        count,
        where: machines.length > 1 ? `machine ${i + 1} core ${core}` : `core ${core}`,
      }))
      .filter(({ count }) => count > 0),
  );
  const number = (value: number): string => value.toLocaleString("en-US");
  const total = lost.reduce((sum, { count }) => sum + count, 0);
  const parts = [`${file.path}: ${number(file.events)} events`];
  if (total === 0) parts.push("none lost");
  else
    parts.push(
      `${number(total)} lost (${shorten(lost.map(({ count, where }) => `${where}: ${number(count)}`))})`,
    );
  if (file.leftOut > 0) parts.push(`${number(file.leftOut)} left out behind the limit (--limit)`);
  stderr.write(
    `trace: ${parts.join(", ")}; open it in https://ui.perfetto.dev or Chromium's Performance panel\n`,
  );
}

const MOST_SHOWN = 8;

function shorten(parts: readonly string[]): string {
  const shown = parts.slice(0, MOST_SHOWN).join(", ");
  return parts.length > MOST_SHOWN ? `${shown}, ...` : shown;
}
