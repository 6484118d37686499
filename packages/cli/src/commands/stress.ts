/** `capos-smp stress`: races, and what the judge says of them. */

import process from "node:process";
import { visibleJson } from "@capos/abi";
import { ExitStatus, UsageError } from "@capos/machine/errors";
import { describeViolation, SCENARIOS, totalOf } from "@capos/stress";
import Table from "cli-table3";
import { NO_PROGRESS } from "../progress.js";
import type { Session } from "../session.js";
import { ALL, type StressDocument, stress } from "../stress.js";
import { bootOptions, KEPT_KIB } from "./boot-options.js";
import { namedLines } from "./listing.js";
import type { MachineFlags } from "./options.js";

export interface StressFlags extends MachineFlags {
  readonly list?: boolean;
  readonly seconds?: number;
}

/** Runs scenarios, or lists them; answers the exit status: 1 if anything was violated. */
export async function stressCommand(
  names: readonly string[],
  flags: StressFlags,
  session: Session,
): Promise<number> {
  const { stdout, signal } = session;
  if (flags.list === true) {
    const all = Object.entries(SCENARIOS).map(([name, races]) => ({ name, races }));
    stdout.write(flags.json === true ? `${visibleJson(all)}\n` : namedLines(all, ({ races }) => races));
    return ExitStatus.OK;
  }
  if (names.length === 0)
    throw new UsageError(`stress: which scenarios? Names that stress --list shows, or ${ALL}`);
  const progress = flags.quiet === true || flags.json === true ? NO_PROGRESS : session.progress;
  // A machine boots for each scenario: their phases say nothing here, and what is no phase is a finding's.
  const { onKernel, ...options } = await bootOptions(
    { ...flags, logLevel: flags.logLevel ?? "error" },
    session,
    KEPT_KIB,
  );
  const write = (text: string) => {
    if (PHASES.test(text)) return;
    progress.clear();
    onKernel?.(text);
  };
  let document: StressDocument;
  try {
    document = await stress({
      ...options,
      ...(onKernel !== undefined && { onKernel: write }),
      scenarios: names,
      signal,
      ...(flags.seconds !== undefined && { seconds: flags.seconds }),
      onProgress: (scenario, fraction, { operations, violations }) =>
        progress.show(`${scenario}: ${operations} operations, ${violations} violations`, fraction),
    });
  } finally {
    progress.clear();
  }
  const violations = document.results.flatMap((result) => result.violations);
  const status = violations.length === 0 ? ExitStatus.OK : ExitStatus.FAILED;
  const text =
    flags.json === true
      ? visibleJson({ ...document, total: totalOf(document.results) })
      : [
          renderTable(document, stdout.hasColors === true),
          ...violations.map((it) => `\n${describeViolation(it).join("\n")}`),
        ].join("\n");
  await new Promise<void>((resolve) => stdout.write(`${text}\n`, resolve));
  // Cores that go round in circles would keep the process alive.
  if (document.results.some(({ ended }) => !ended)) process.exit(status);
  return status;
}

const PHASES = /^(\[ *[\d.]+ ms\] .*\n?)+$/;

function renderTable({ cores, seed, results }: StressDocument, inColour: boolean): string {
  const number = (value: number) => Math.round(value).toLocaleString("en-US");
  const table = new Table({
    head: ["scenario", "s", "rounds", "operations", "a minute", "revokes", "violations"],
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
    style: inColour ? {} : { head: [], border: [] },
  });
  for (const result of results) table.push(rowOf(result.scenario, result, result.violations.length));
  if (results.length > 1) {
    const total = totalOf(results);
    table.push(rowOf("all", total, total.violations));
  }
  return `${cores} cores, seed ${seed}\n${table.toString()}`;

  function rowOf(
    name: string,
    it: { seconds: number; rounds: number; operations: number; operationsPerMinute: number; revokes: number },
    violations: number,
  ): string[] {
    return [
      name,
      it.seconds.toFixed(1),
      number(it.rounds),
      number(it.operations),
      number(it.operationsPerMinute),
      number(it.revokes),
      number(violations),
    ];
  }
}
