/** The loads and stores of a machine that has no memory. */
const refuse = (): never => {
  throw new Error("the fake machine has no memory");
};

export class NoMemory {
  readonly load8 = refuse;
  readonly load16 = refuse;
  readonly load32 = refuse;
  readonly loadF64 = refuse;
  readonly store8 = refuse;
  readonly store16 = refuse;
  readonly store32 = refuse;
  readonly storeF64 = refuse;
  readonly atomicLoad = refuse;
  readonly atomicStore = refuse;
  readonly atomicAdd = refuse;
  readonly atomicAnd = refuse;
  readonly atomicOr = refuse;
  readonly atomicXor = refuse;
  readonly atomicExchange = refuse;
  readonly atomicCompareExchange = refuse;
  readonly copy = refuse;
  readonly fill = refuse;
  readonly compare = refuse;
  readonly crc32c = refuse;
  readonly sum16 = refuse;
  readonly text = refuse;
  readonly putText = refuse;
  readonly raiseFault = refuse;
  readonly endFault = refuse;
}
