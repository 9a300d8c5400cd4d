import { createServer } from 'node:http';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { announce } from './announce.js';

/** @tus/server with @tus/file-store on bare node:http, as its README has it. */
const [directory = '.'] = process.argv.slice(2);
const tus = new Server({ path: '/files', datastore: new FileStore({ directory }) });
await announce(
  createServer((request, response) => void tus.handle(request, response)).listen(0, '127.0.0.1'),
);
