import type { Hasher } from './hasher.js';
import { MD5_PAGES, md5Program } from './md5-program.js';

const BLOCK_BYTES = 64;
/** Where bytes go to be compressed, behind the state. What does not fill a block yet stays there. */
const INPUT = BLOCK_BYTES;
const ROOM_BYTES = MD5_PAGES * 64 * 1024 - INPUT;

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const STATE_BYTES = 16;

/** In front of a saved state: another library's, or a later format, must not be taken for one. */
const FORMAT = Buffer.from('md5\x01', 'latin1');
const HEAD_BYTES = FORMAT.length + STATE_BYTES + 8;

let program: WebAssembly.Module | null = null;

/** MD5, nearly as fast as Node's own, with a state that can be saved: 28 bytes, and those that fill no block of 64 yet. */
export class Md5Hasher implements Hasher {
  private readonly memory: Buffer;
  private readonly compress: (from: number, to: number) => void;
  private lengthBytes = 0;

  constructor() {
    program ??= new WebAssembly.Module(md5Program());
    const { exports } = new WebAssembly.Instance(program);
    this.memory = Buffer.from((exports.memory as WebAssembly.Memory).buffer);
    this.compress = exports.compress as Md5Hasher['compress'];
  }

  init(): this {
    START.forEach((word, i) => this.memory.writeUInt32LE(word, 4 * i));
    this.lengthBytes = 0;
    return this;
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const tail = this.tailBytes;
      const taken = Math.min(bytes.length - at, ROOM_BYTES - tail);
      this.memory.set(bytes.subarray(at, at + taken), INPUT + tail);
      this.compressBlocks(tail + taken);
      this.lengthBytes += taken;
      at += taken;
    }
  }

  save(): Uint8Array {
    const head = Buffer.alloc(HEAD_BYTES);
    FORMAT.copy(head);
    this.memory.copy(head, FORMAT.length, 0, STATE_BYTES);
    head.writeBigUInt64LE(BigInt(this.lengthBytes), HEAD_BYTES - 8);
    return Buffer.concat([head, this.memory.subarray(INPUT, INPUT + this.tailBytes)]);
  }

  /** @throws Error when `save` did not make this state. */
  load(state: Uint8Array): void {
    const saved = Buffer.from(state);
    const isOurs = saved.length >= HEAD_BYTES && saved.subarray(0, FORMAT.length).equals(FORMAT);
    const lengthBytes = isOurs ? Number(saved.readBigUInt64LE(HEAD_BYTES - 8)) : 0;
    if (!isOurs || saved.length !== HEAD_BYTES + (lengthBytes % BLOCK_BYTES))
      throw new Error('This is no saved state of MD5.');
    saved.copy(this.memory, 0, FORMAT.length, FORMAT.length + STATE_BYTES);
    saved.copy(this.memory, INPUT, HEAD_BYTES);
    this.lengthBytes = lengthBytes;
  }

  /** In lower-case hex. Only `init` and `load` may follow. */
  digest(): string {
    const end = INPUT + this.tailBytes;
    const filled = Math.ceil((this.tailBytes + 9) / BLOCK_BYTES) * BLOCK_BYTES;
    this.memory.fill(0, end, INPUT + filled).writeUInt8(0x80, end);
    this.memory.writeBigUInt64LE(BigInt.asUintN(64, BigInt(this.lengthBytes) * 8n), INPUT + filled - 8);
    this.compressBlocks(filled);
    return this.memory.toString('hex', 0, STATE_BYTES);
  }

  private get tailBytes(): number {
    return this.lengthBytes % BLOCK_BYTES;
  }

  /** Takes the whole blocks of what is in memory, and moves the rest to their place. */
  private compressBlocks(filled: number): void {
    const whole = filled - (filled % BLOCK_BYTES);
    if (whole === 0) return;
    this.compress(INPUT, INPUT + whole);
    this.memory.copyWithin(INPUT, INPUT + whole, INPUT + filled);
  }
}
