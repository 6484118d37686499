/** Protocols as the host sees them: promises instead of steps, references instead of handles. */
import type {
  capability,
  Field,
  KernelRight,
  MethodShape,
  Methods,
  Own,
  RightName,
  Shape,
} from "@capos/libos";
import type { PeerContext } from "./open-request.js";
import type { Reference } from "./reference.js";

/** How a capability travels when it is not simply copied with all its rights. */
export interface ReferenceTransfer {
  readonly capability: Reference;
  /** At most these rights arrive. */
  readonly rights?: number | readonly KernelRight[];
  /** The host has it no more once the message is answered. */
  readonly move?: boolean;
}

type GivenField<F, M extends Methods> = F extends typeof capability
  ? Reference | ReferenceTransfer
  : F extends Field<infer G, unknown>
    ? [G] extends [Own<RightName>]
      ? PeerClient<M>
      : G extends readonly number[]
        ? G | Uint8Array
        : G
    : never;

type ReceivedField<F, M extends Methods> = F extends typeof capability
  ? Reference
  : F extends Field<never, infer R>
    ? [R] extends [Own<RightName>]
      ? PeerClient<M>
      : R
    : never;

/** What is given for a shape. */
export type PeerGiven<S extends Shape, M extends Methods> = { readonly [N in keyof S]: GivenField<S[N], M> };
/** What comes for a shape. */
export type PeerReceived<S extends Shape, M extends Methods> = { [N in keyof S]: ReceivedField<S[N], M> };

/** What bounds one call. */
export interface CallOptions {
  /** The call is given up when it aborts, and fails with its reason. */
  readonly signal?: AbortSignal;
  /** The call is given up after so many milliseconds, and fails with `TIMEOUT`; above 0, at most 2^31 - 1. */
  readonly timeoutMs?: number;
}

type PeerMethod<D extends MethodShape, M extends Methods> = keyof D["request"] extends never
  ? (request?: PeerGiven<D["request"], M>, options?: CallOptions) => Promise<PeerReceived<D["reply"], M>>
  : (request: PeerGiven<D["request"], M>, options?: CallOptions) => Promise<PeerReceived<D["reply"], M>>;

/** The calling side of a protocol, for the host. */
export type PeerClient<M extends Methods> = { readonly [N in keyof M]: PeerMethod<M[N], M> } & Disposable;

type Answered<T> = T | Promise<T>;

/** The answering side of a protocol, for the host: one function a method. References in the request are the handler's. */
export type PeerHandlers<M extends Methods> = {
  readonly [N in keyof M]: (
    request: PeerReceived<M[N]["request"], M>,
    context: PeerContext,
    // biome-ignore lint/suspicious/noConfusingVoidType: it is the return type of a function that may return nothing
  ) => Answered<PeerGiven<M[N]["reply"], M> | (keyof M[N]["reply"] extends never ? void : never)>;
};

export interface ClientOptions extends CallOptions {
  /** How many of its calls are under way at one time, 1 to 32; more wait their turn. 8 unless told. */
  readonly outstanding?: number;
  /** How long to wait, in milliseconds, for somebody to register the name; 5000 unless told, 0 is not at all. */
  readonly registeredMs?: number;
}

export interface ServeOptions {
  /** What guests look it up by: 1 to 32 bytes. Unless told there is no name, and those call it who are given its `reference`. */
  readonly name?: string;
  /** How many requests are answered at one time, 1 to 256; more wait their turn. 64 unless told. */
  readonly outstanding?: number;
}
