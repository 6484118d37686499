/** `capos-smp up SYSTEM`: boots a machine and runs a system of programs on it, supervised. */
import { type Image, MAX_CORES, Right, visibleJson, visibleLines } from "@capos/abi";
import { reportText, type SupervisorReport } from "@capos/libos";
import { boot } from "@capos/machine";
import { defaultCores } from "@capos/machine/defaults";
import { UsageError } from "@capos/machine/errors";
import { SYSTEM_NAME } from "@capos/servers";
import { GuestBuild, type GuestFlags } from "../guest-build.js";
import type { Session } from "../session.js";
import { readSystem, type System } from "../system/read.js";
import { SYSTEM_SCHEMA } from "../system/schema.js";
import { bootOptions, KEPT_KIB } from "./boot-options.js";
import { LabelledConsole } from "./labelled-console.js";
import type { MachineFlags } from "./options.js";

export interface UpFlags extends MachineFlags, Omit<GuestFlags, "check"> {
  /** True if nothing is to be started, false if types are not to be checked. */
  readonly check?: boolean;
  readonly schema?: boolean;
}

/** Runs a system to its end; answers the first status that is not 0 of those that its programs ended with for good. */
export async function upCommand(file: string | undefined, flags: UpFlags, session: Session): Promise<number> {
  const { stdout, stderr, stdin, signal } = session;
  if (flags.schema === true) {
    stdout.write(`${JSON.stringify(SYSTEM_SCHEMA, null, 2)}\n`);
    return 0;
  }
  if (file === undefined) throw new UsageError("up: a file that describes the system is needed");
  const system = await readSystem(file);
  const { programs } = system;
  const cores =
    flags.cores ?? system.machine.cores ?? Math.min(MAX_CORES, Math.max(defaultCores(), programs.length + 1));
  for (const { name, core } of programs)
    if (core !== null && core >= cores)
      throw system.wrong(["programs", name, "core"], `the machine has ${cores} cores, 0 to ${cores - 1}`);
  const build = new GuestBuild(
    programs.map((program) => program.file),
    flags,
    signal,
  );
  // The builder's own words say more of what the compiler refuses too.
  const images = await (await build.read)();
  build.tellUnchecked(await build.checked, stderr);
  if (flags.check === true) {
    const text = `${file}: ${programs.length} programs, started in the order ${programs.map(({ name }) => name).join(", ")}\n`;
    stdout.write(
      flags.json === true
        ? `${visibleJson({ file, programs: programs.map(({ name }) => name) })}\n`
        : visibleLines(text),
    );
    return 0;
  }
  const labelled = new LabelledConsole([SYSTEM_NAME, ...programs.map(({ name }) => name)]);
  const memory = flags.memory ?? system.machine.memory;
  const options = await bootOptions(
    { ...flags, cores, ...(memory !== undefined && { memory }) },
    session,
    KEPT_KIB,
    labelled,
  );
  /** What each program ended with, as far as it was not started again. */
  const ends = new Map<string, number>();
  const tell = (report: SupervisorReport): void => {
    if (report.event === "ended" && report.inMs === null)
      ends.set(report.child, report.state === "exited" ? report.status : 1);
    if (report.event === "started") ends.delete(report.child);
    if (flags.json === true) stdout.write(`${visibleJson(report)}\n`);
    else if (flags.quiet !== true && (stderr.isTTY === true || isTrouble(report)))
      stderr.write(`capos-smp: ${visibleLines(reportText(report))}\n`);
  };
  await using machine = await boot({
    ...options,
    ...(stderr.isTTY !== true && {
      onKernel: (text: string) => void stderr.write(text.replace(/^\[ *[\d.]+ ms\] phase .*\n/gm, "")),
    }),
    onConsole(line) {
      const said = labelled.parse(line);
      if (said?.name === SYSTEM_NAME) return tell(JSON.parse(said.text) as SupervisorReport);
      if (flags.json !== true) return options.onConsole!(line);
      stdout.write(
        `${visibleJson({ event: "line", child: said?.name ?? null, text: said?.text ?? line })}\n`,
      );
    },
    onInput: stdin === null ? () => null : () => stdin.read(),
  });
  try {
    const { status, fault } = await machine.runSystem({
      programs: programs.map((program, i) => planOf(program, images[i]!, i, cores)),
      supervisor: system.supervisor,
      signal,
    });
    await machine.halt();
    if (fault !== "") stderr.write(`capos-smp: ${fault}\n`);
    signal.throwIfAborted();
    const first = programs.map(({ name }) => ends.get(name) ?? 0).find((end) => end !== 0);
    return first ?? status;
  } finally {
    stdin?.close();
  }
}

function planOf(
  { name, args, core, priority, threads, memory, restart, names, provides, uses }: System["programs"][number],
  image: Image,
  index: number,
  cores: number,
) {
  return {
    ...{ name, args, priority, threads, restart, names, provides, image },
    // The services have core 0.
    core: core ?? (cores === 1 ? 0 : 1 + (index % (cores - 1))),
    memoryBits: memory === 0 ? 0 : Math.log2(memory),
    uses: uses.map(({ endpoint, rights }) => ({
      endpoint,
      rights: (rights.includes("grant") ? Right.GRANT : 0) | (rights.includes("revoke") ? Right.REVOKE : 0),
    })),
  };
}

function isTrouble(report: SupervisorReport): boolean {
  if (report.event === "ended") return report.state !== "exited" || report.status !== 0;
  return report.event === "refused" || report.event === "gave-up";
}
