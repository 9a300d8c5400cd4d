import { open } from 'node:fs/promises';

/** A server whose chunks are not synced: the power cut must find it out. */
const file = await open('/dev/null');
Object.getPrototypeOf(file).datasync = () => Promise.resolve();
await file.close();
