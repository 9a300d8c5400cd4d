import { randomBytes, randomUUID } from 'node:crypto';

/** What a client gets once, and the public part of it. */
export interface NewApiKey {
  readonly id: string;
  readonly key: string;
}

const ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const ID_PATTERN = new RegExp(`^${ID}$`);
const KEY_PATTERN = new RegExp(`^cu_(${ID})_[A-Za-z0-9_-]{43}$`);
const SECRET_BYTES = 32;

/** A new key: `cu_<id>_<32 random bytes in base64url>`, of a form that secret scanners can be told about. */
export function newApiKey(): NewApiKey {
  const id = randomUUID();
  return { id, key: `cu_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}` };
}

/** The id within a key; null for what is no key. */
export function idOfApiKey(key: string): string | null {
  return KEY_PATTERN.exec(key)?.[1] ?? null;
}

/** Whether a text can be a key's id, so that nothing else ever gets to the database. */
export function isApiKeyId(text: string): boolean {
  return ID_PATTERN.test(text);
}
