/** Methods of serial devices. */
import {
  BYTES_PER_WORD,
  Err,
  MAX_MESSAGE_WORDS,
  Method,
  packBytes,
  Reg,
  Right,
  Slot,
  unpackBytes,
  wordsForBytes,
} from "@capos/abi";
import type { Context } from "@capos/engine";
import { portRead, portWrite, type WordIndex } from "@capos/hal";
import { hasRight } from "../capability/lookup.js";
import type { Answer } from "../state/answer.js";
import { TRACED } from "../state/build.js";
import type { Core } from "../state/core.js";
import { wordCount } from "../state/message.js";
import { traceLog } from "../state/trace.js";
import { answer, finish, integer, refuse, unsupported } from "./arguments.js";

/** Bytes that fit behind the method and the count. */
const MAX_WRITE = (MAX_MESSAGE_WORDS - 2) * BYTES_PER_WORD;
const MAX_READ = (MAX_MESSAGE_WORDS - 1) * BYTES_PER_WORD;

export function invokePort(
  k: Core,
  thread: WordIndex,
  context: Context,
  slot: WordIndex,
  method: number,
): Answer {
  const port = k.i32[slot + Slot.OBJECT]!;
  if (method === Method.PORT_WRITE)
    return hasRight(k, slot, Right.WRITE) ? write(k, thread, context, port) : finish(context, Err.DENIED);
  if (method === Method.PORT_READ)
    return hasRight(k, slot, Right.READ) ? read(k, context, port) : finish(context, Err.DENIED);
  return unsupported(context);
}

function write(k: Core, thread: WordIndex, context: Context, port: number): Answer {
  const count = integer(context, 1);
  if (!(count >= 0 && count <= MAX_WRITE && 2 + wordsForBytes(count) <= wordCount(context.trap)))
    return refuse(context, Err.RANGE, 0, MAX_WRITE);
  unpackBytes(context.regs, Reg.WORDS + 2, count, k.bytes, 0);
  const taken = portWrite(k.memory, port, k.id, k.bytes, count);
  if (TRACED) traceLog(k, thread, port, k.bytes, taken);
  return answer(context, taken);
}

function read(k: Core, context: Context, port: number): Answer {
  const { regs } = context;
  const count = portRead(k.memory, port, k.id, k.bytes, MAX_READ);
  regs[Reg.WORDS] = count;
  return finish(context, count <= 0 ? 1 : 1 + packBytes(regs, Reg.WORDS + 1, k.bytes, 0, count));
}
