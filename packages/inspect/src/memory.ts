/** Whose memory is whose. */
import { ObjectType, Slot, SlotBits, SlotState, typeName } from "@capos/abi";
import { BootInfo, memoryMap, moduleBytes, moduleCount, RegionKind, type WordIndex } from "@capos/hal";
import { Process } from "@capos/kernel/layout";
import { inspectSpaces } from "./spaces.js";
import type { MemoryInfo, MemoryOwner } from "./state.js";
import { bytesOf, type Survey, typeOf } from "./survey.js";
import type { CopiedSlot } from "./tree-copy.js";
import { isLine, processName, wordAt } from "./words.js";

const UNIT_BYTES = 64;
/** The owner of what no process's CSpace holds. */
const NOBODY = 0;

type Account = { -readonly [Key in keyof MemoryOwner]: MemoryOwner[Key] } & {
  objects: Record<string, number>;
};

export function inspectMemory(survey: Survey): MemoryInfo {
  const { memory, tree } = survey;
  const accounts = new Map<WordIndex, Account>();
  const makers = makersOf(survey);
  const counted = new Set<string>();
  let outermost = 0;
  let freeBytes = 0;
  tree.slots.forEach((slot, index) => {
    const word = slot.words[Slot.STATE];
    const type = typeOf(word);
    const maker = makers[index];
    const state = word & SlotBits.STATE_MASK;
    if (type === ObjectType.UNTYPED) {
      if (state !== SlotState.LIVE) return;
      const account = accountOf(survey, accounts, slot.at);
      const bytes = bytesOf(word);
      const used = Math.min((slot.words[Slot.WATERMARK] >>> 0) * UNIT_BYTES, bytes);
      account.untypedBytes += bytes;
      account.usedBytes += used;
      account.freeBytes += bytes - used;
      freeBytes += bytes - used;
      if (maker === null) outermost += bytes;
      return;
    }
    // Each object once, however many capabilities it has. What was made from no untyped is the kernel's own.
    const object = slot.words[Slot.OBJECT];
    const key = `${type} ${object}`;
    if (maker === null || !isMadeByRetype(type) || counted.has(key) || state === SlotState.EMPTY) return;
    counted.add(key);
    const account = accountOf(survey, accounts, maker.at);
    account.objectBytes += bytesOf(word);
    const name = typeName(type);
    account.objects[name] = (account.objects[name] ?? 0) + 1;
  });
  const regions = memoryMap(memory);
  const pool = regions.find(({ kind }) => kind === RegionKind.FREE)?.bytes ?? 0;
  const hasModules = isLine(memory, wordAt(memory, BootInfo.MODULES));
  return {
    regions: regions.map(({ name, address, bytes }) => ({ name, address, bytes })),
    kernelBytes: Math.max(pool - outermost, 0),
    images: hasModules ? moduleCount(memory) : 0,
    imageBytes: hasModules ? moduleBytes(memory) : 0,
    freeBytes,
    spaces: inspectSpaces(memory, [...survey.processes]),
    owners: [...accounts.values()].sort((a, b) => (a.process ?? Infinity) - (b.process ?? Infinity)),
  };
}

function isMadeByRetype(type: number): boolean {
  return type !== ObjectType.NONE && type !== ObjectType.REPLY;
}

/** For each slot of the tree the untyped that its object was made from, or null: its nearest ancestor that is one. */
function makersOf({ tree }: Survey): (CopiedSlot | null)[] {
  const makers: (CopiedSlot | null)[] = [];
  for (const { parent } of tree.slots) {
    // A parent stands before its children.
    const above = tree.slots[parent];
    const isUntyped = above !== undefined && typeOf(above.words[Slot.STATE]) === ObjectType.UNTYPED;
    makers.push(isUntyped ? above : (makers[parent] ?? null));
  }
  return makers;
}

/** The account of the process that holds a slot. */
function accountOf(survey: Survey, accounts: Map<WordIndex, Account>, slot: WordIndex): Account {
  const owner = survey.cnodeAround(slot)?.users[0] ?? NOBODY;
  const known = accounts.get(owner);
  if (known !== undefined) return known;
  const account: Account = {
    owner: owner === NOBODY ? "in no process's CSpace" : processName(survey.memory, owner),
    process: owner === NOBODY ? null : wordAt(survey.memory, owner + Process.NUMBER),
    untypedBytes: 0,
    usedBytes: 0,
    freeBytes: 0,
    objectBytes: 0,
    objects: {},
  };
  accounts.set(owner, account);
  return account;
}
