/** A running hash. Its state outlives it: what `save` gives, `load` of another goes on from, and throws on anything else. */
export interface Hasher {
  /** Begins at byte 0. */
  init(): Hasher;
  update(bytes: Uint8Array): void;
  save(): Uint8Array;
  load(state: Uint8Array): void;
  /** In lower-case hex. Only `init` and `load` may follow. */
  digest(): string;
}
