import bytes from 'bytes';
import { validateCronExpression } from 'cron';
import ms from 'ms';
import { LONGEST_TIMER_MS } from '../option-values.js';

/** Turns the text of a variable into its value; throws an `Error` that says what is allowed. */
export type Parse<Value> = (text: string) => Value;

/** A whole number within bounds. */
export function integer(min: number, max: number): Parse<number> {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new Error(`a whole number from ${min} to ${max}`);
  };
}

/** Bytes: a plain number, or one with a unit of powers of 1024. */
export const size: Parse<number> = (text) => {
  const value = /^\d+(\.\d+)? *([kmgtp]?b)?$/i.test(text) ? bytes.parse(text) : null;
  if (value !== null && Number.isSafeInteger(value)) return value;
  throw new Error('a number of bytes, or one with the unit kb, mb, gb or tb');
};

/** Milliseconds: a plain number, or one with a unit as the package `ms` has it. */
export function duration(min: number, max = LONGEST_TIMER_MS): Parse<number> {
  return (text) => {
    const value = /^\d+(\.\d+)? *[a-z]*$/i.test(text) ? ms(text as ms.StringValue) : undefined;
    if (value !== undefined && value >= min && value <= max) return Math.round(value);
    const bounds = max === LONGEST_TIMER_MS ? `${min} ms to 24 days` : `${min} ms or more`;
    throw new Error(`a number of milliseconds, or one with the unit s, m, h or d; ${bounds}`);
  };
}

/** `true` or `false`, and the usual other words for them. */
export const flag: Parse<boolean> = (text) => {
  if (/^(true|yes|on|1)$/i.test(text)) return true;
  if (/^(false|no|off|0)$/i.test(text)) return false;
  throw new Error('true or false');
};

/** One of the words of a closed list. */
export function oneOf<const Word extends string>(
  words: readonly Word[],
  allowed = words.length > 1 ? `one of ${words.join(', ')}` : `only ${words[0]}`,
): Parse<Word> {
  return (text) => {
    const word = words.find((known) => known === text.toLowerCase());
    if (word !== undefined) return word;
    throw new Error(allowed);
  };
}

/** Several, separated by commas. */
export function list<Item>(item: Parse<Item>): Parse<readonly Item[]> {
  return (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const filled = parts.filter((part) => part !== '');
    if (filled.length > 0) return filled.map(item);
    throw new Error('a list with commas between');
  };
}

/** A word that switches the setting off, or else a value. */
export function unless<Off, Value>(word: string, off: Off, parse: Parse<Value>): Parse<Off | Value> {
  return (text) => {
    if (text.toLowerCase() === word) return off;
    try {
      return parse(text);
    } catch (error) {
      throw new Error(`${word}, or ${(error as Error).message}`, { cause: error });
    }
  };
}

/** Any text that fits a pattern. */
export function matching(pattern: RegExp, allowed: string): Parse<string> {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new Error(allowed);
  };
}

/** An absolute URL of one of some protocols. */
export function url(...protocols: readonly string[]): Parse<string> {
  return (text) => {
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
      throw new Error(`a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    }
    if (isDecodable(text)) return text;
    throw new Error('a URL, in which a percent sign that stands for itself is written %25');
  };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** When a job runs, as cron writes it. */
export const cron: Parse<string> = (text) => {
  if (validateCronExpression(text).valid) return text;
  throw new Error('a cron expression of five or six fields');
};

/** Pairs with a colon between, separated by commas; a key only once. */
export function pairs<Key extends string, Value>(
  key: Parse<Key>,
  value: Parse<Value>,
  allowed: string,
): Parse<ReadonlyMap<Key, Value>> {
  const pair: Parse<[Key, Value]> = (text) => {
    const colon = text.indexOf(':');
    if (colon < 1 || colon === text.length - 1) throw new Error(allowed);
    return [key(text.slice(0, colon).trim()), value(text.slice(colon + 1).trim())];
  };
  return (text) => {
    const entries = list(pair)(text);
    const map = new Map(entries);
    if (map.size === entries.length) return map;
    throw new Error(`${allowed}; each only once`);
  };
}

/** Whose `X-Forwarded-*` headers are believed, in the notation Express and Fastify share. */
export const trustedProxies: Parse<boolean | number | string> = (text) => {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (/^\d+$/.test(text)) return Number(text);
  if (/^[\w.:/, -]+$/.test(text)) return text;
  throw new Error('true, a number of proxies, or their addresses with commas between');
};
