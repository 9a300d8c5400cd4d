import { open } from 'node:fs/promises';

/** A server whose names are not synced: the power cut must find it out. */
const file = await open('/dev/null');
Object.getPrototypeOf(file).sync = () => Promise.resolve();
await file.close();
