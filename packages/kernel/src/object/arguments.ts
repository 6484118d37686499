/**
 * Reading the arguments of an invocation: message words that a guest chose.
 */
import { Reg } from "@capos/abi";
import type { Context } from "@capos/engine";
import { Answer } from "../state/answer.js";

/** A word as an integer of 32 bits; a fraction, a NaN or a number out of range is -1. */
export function integer(context: Context, word: number): number {
  const value = context.regs[Reg.WORDS + word];
  return (value | 0) === value ? value : -1;
}

/** A word as a handle. */
export function handle(context: Context, word: number): number {
  return context.regs[Reg.WORDS + word];
}

/** Answers an invocation with words `values` and their count. */
export function answer(context: Context, ...values: number[]): Answer {
  for (let i = 0; i < values.length; i++) context.regs[Reg.WORDS + i] = values[i];
  context.result = values.length;
  return Answer.DONE;
}

/** Answers an error with the permitted range, or what is left, in words 0 and 1. */
export function refuse(context: Context, error: number, low = 0, high = 0): Answer {
  context.regs[Reg.WORDS] = low;
  context.regs[Reg.WORDS + 1] = high;
  context.result = error;
  return Answer.DONE;
}

/** Answers with a status alone. */
export function finish(context: Context, status: number): Answer {
  context.result = status;
  return Answer.DONE;
}
