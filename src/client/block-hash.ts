const BLOCK_BYTES = 64;

/** What MD5 and SHA-256 have in common: blocks of 64 bytes, words of 32 bits, and how the end is padded. */
export abstract class BlockHash {
  protected readonly state: Int32Array;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #words = new Int32Array(BLOCK_BYTES / 4);
  #bytes = 0;

  /** @param isLittleEndian how words are made of bytes. */
  constructor(
    initial: readonly number[],
    private readonly isLittleEndian: boolean,
  ) {
    this.state = Int32Array.from(initial);
  }

  update(input: Uint8Array): void {
    let at = 0;
    const filled = this.#bytes % BLOCK_BYTES;
    this.#bytes += input.length;
    if (filled > 0) {
      at = Math.min(BLOCK_BYTES - filled, input.length);
      this.#block.set(input.subarray(0, at), filled);
      if (filled + at < BLOCK_BYTES) return;
      this.#compressAt(this.#block, 0);
    }
    for (; at + BLOCK_BYTES <= input.length; at += BLOCK_BYTES) this.#compressAt(input, at);
    this.#block.set(input.subarray(at));
  }

  /** The hash in hex. Ends it: nothing can be added behind the padding. */
  digest(): string {
    const { state, isLittleEndian } = this;
    const bytes = this.#bytes;
    const padding = new Uint8Array(BLOCK_BYTES + 8 - ((bytes + 8) % BLOCK_BYTES));
    padding[0] = 0x80;
    const length = new DataView(padding.buffer, padding.length - 8);
    length.setBigUint64(0, BigInt(bytes) * 8n, isLittleEndian);
    this.update(padding);
    const hash = new DataView(state.buffer);
    state.forEach((word, index) => hash.setInt32(index * 4, word, isLittleEndian));
    return Array.from(new Uint8Array(state.buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Takes 16 words into the state. */
  protected abstract compress(words: Int32Array): void;

  protected add(words: readonly number[]): void {
    const { state } = this;
    words.forEach((word, index) => (state[index] = (state[index] as number) + word));
  }

  #compressAt(input: Uint8Array, at: number): void {
    const { isLittleEndian } = this;
    const words = this.#words;
    const view = new DataView(input.buffer, input.byteOffset + at, BLOCK_BYTES);
    for (let index = 0; index < words.length; index++)
      words[index] = view.getInt32(index * 4, isLittleEndian);
    this.compress(words);
  }
}
