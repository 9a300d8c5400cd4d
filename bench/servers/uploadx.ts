import { createServer } from 'node:http';
import { uploadx } from '@uploadx/core';
import { announce } from './announce.js';

/** @uploadx/core on bare node:http, with its disk storage. */
const [directory = '.'] = process.argv.slice(2);
const handle = uploadx({ directory, path: '/files', maxUploadSize: '100GB', allowMIME: ['*/*'] });
await announce(createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1'));
