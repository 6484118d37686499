/** The types that refuse a mix-up: what does not compile. Nothing of them is left when the kernel runs. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Lines that end in `// error` must not compile, all others must. */
const LOCK = `
import { type Core, killSlot, type Locked, lockTree, moveSlot, reclaimSlot, requestGrace, type SlotRef, unlink, unlockTree } from "@capos/kernel/internal";

export function ok(k: Core, slot: SlotRef, other: SlotRef): void {
  const held = lockTree(k);
  killSlot(held, slot);
  if (reclaimSlot(held, other)) moveSlot(held, slot, other, 0);
  requestGrace(held);
  unlockTree(held);
}

export function bad(k: Core, slot: SlotRef, other: SlotRef): void {
  killSlot(k, slot); // error
  reclaimSlot(k, slot); // error
  moveSlot(k, slot, other, 0); // error
  unlink(k, slot); // error
  unlockTree(k); // error
  const held: Locked = k; // error
}
`;

const CORES = `
import { configureThread, type Core, type CoreId, moveHome, type PhysicalAddress, type ProcessRef, type QueueRef, type ThreadRef } from "@capos/kernel/internal";

declare const k: Core;
declare const core: CoreId;
declare const byte: PhysicalAddress;
declare const thread: ThreadRef;
declare const process: ProcessRef;
declare const queue: QueueRef;

export function ok(): void {
  moveHome(k, queue, core);
  moveHome(k, queue, k.id);
  configureThread(k, thread, process, core, 5);
  for (let other = 0 as CoreId; other < k.coreCount; other++) moveHome(k, queue, other);
}

export function bad(): void {
  moveHome(k, queue, 1); // error
  moveHome(k, queue, byte); // error
  moveHome(k, queue, thread); // error
  configureThread(k, thread, process, byte, 5); // error
  const at: PhysicalAddress = thread; // error
}
`;

const REFERENCES = `
import { type HeaderRef, type CNodeRef, type Core, type EndpointRef, enqueue, type LineRef, type Locked, type MonitorRef, type NodeRef, type NotificationRef, type ObjectRef, type ProcessRef, type QueueRef, type SlotRef, type ThreadRef, findSlot, insert, killSlot, linkFirst, takeFrom, takeNext } from "@capos/kernel/internal";

declare const held: Locked;
declare const k: Core;
declare const slot: SlotRef;
declare const header: HeaderRef;
declare const thread: ThreadRef;
declare const process: ProcessRef;
declare const cnode: CNodeRef;
declare const endpoint: EndpointRef;
declare const notification: NotificationRef;
declare const monitor: MonitorRef;
declare const line: LineRef;

export function ok(): void {
  killSlot(held, slot);
  linkFirst(held, slot, header);
  takeFrom(k, endpoint, thread);
  insert(k, notification, thread);
  const words: number = thread + 5;
  const found = findSlot(k, thread, 1);
  if (found !== 0) killSlot(held, found);
  const next = takeNext(k);
  if (next !== 0) enqueue(k, next);
  const all: ObjectRef[] = [thread, process, cnode, endpoint, notification, monitor];
  const queues: QueueRef[] = [endpoint, notification];
  const nodes: NodeRef[] = [slot, header];
  const read = held.i32[5] as ThreadRef;
  enqueue(k, read);
}

export function bad(): void {
  killSlot(held, thread); // error
  killSlot(held, header); // error
  killSlot(held, 5); // error
  killSlot(held, findSlot(k, thread, 1)); // error
  enqueue(k, slot); // error
  enqueue(k, takeNext(k)); // error
  enqueue(k, k.current); // error
  takeFrom(k, thread, endpoint); // error
  takeFrom(k, notification, thread); // error
  insert(k, process, thread); // error
  linkFirst(held, slot, thread); // error
  findSlot(k, line, 1); // error
  const other = slot as ThreadRef; // error
  const sum: SlotRef = slot + 16; // error
  const queue: QueueRef = thread; // error
}
`;

/** Lines (from 1) of a file with errors, under the strict options of the workspace. */
function linesWithErrors(path: string): number[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    paths: { "@capos/kernel/internal": [`${ROOT}packages/kernel/dist/internal.d.ts`] },
  };
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([path], options));
  return diagnostics.map(({ file, start, messageText }) => {
    if (file?.fileName !== path) throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
    return file.getLineAndCharacterOfPosition(start!).line + 1;
  });
}

/** Asserts that just the marked lines of a snippet are refused. */
function checkSnippet(t: Test, name: string, snippet: string): void {
  const path = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  writeFileSync(path, snippet);
  t.teardown(() => rmSync(path));
  const expected = snippet.split("\n").flatMap((line, i) => (line.endsWith("// error") ? [i + 1] : []));
  const found = new Set(linesWithErrors(path));
  const lines = readFileSync(path, "utf8").split("\n");
  for (const line of expected) t.ok(found.has(line), `refused: ${lines[line - 1].trim()}`);
  t.same(
    [...found].filter((line) => !expected.includes(line)).map((line) => lines[line - 1]),
    [],
    "all else compiles",
  );
}

t.test("what changes slots or the tree does not compile for a core that has not locked it", (t) => {
  checkSnippet(t, "kernel-lock-snippet", LOCK);
  t.end();
});

t.test(
  "a reference to one kind of thing does not compile where another is wanted, nor one that may be none",
  (t) => {
    checkSnippet(t, "kernel-references-snippet", REFERENCES);
    t.end();
  },
);

t.test("a core is named by its number as a core's, which no other number passes for", (t) => {
  checkSnippet(t, "kernel-cores-snippet", CORES);
  t.end();
});
