/** Methods of serial devices. */
import { BYTES_PER_WORD, MAX_MESSAGE_WORDS, packBytes, Reg, Slot, unpackBytes } from "@capos/abi";
import type { Context } from "@capos/engine";
import { portRead as readDevice, portWrite as writeDevice } from "@capos/hal";
import type { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import type { SlotRef, ThreadRef } from "../state/references.js";
import { traceLog } from "../state/trace.js";
import { answer, finish } from "./arguments.js";

/** Bytes that fit behind the count. */
const MAX_READ = (MAX_MESSAGE_WORDS - 1) * BYTES_PER_WORD;

export function portWrite(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { byteCount, payload } = k.operands;
  const port = k.i32[self + Slot.OBJECT];
  unpackBytes(context.regs, payload, byteCount, k.bytes, 0);
  const taken = writeDevice(k.memory, port, k.id, k.bytes, byteCount);
  if (TRACED) traceLog(k, thread, port, k.bytes, taken);
  return answer(context, taken);
}

export function portRead(k: Core, _thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const { regs } = context;
  const count = readDevice(k.memory, k.i32[self + Slot.OBJECT], k.id, k.bytes, MAX_READ);
  regs[Reg.WORDS] = count;
  return finish(context, count <= 0 ? 1 : 1 + packBytes(regs, Reg.WORDS + 1, k.bytes, 0, count));
}
