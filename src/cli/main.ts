#!/usr/bin/env node
import 'reflect-metadata';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { Type } from '@nestjs/common';
import { createProgram } from './program.js';

/** Boots the module that `--module file.js#Export` names, without listening. */
async function openModule(specifier: string | undefined) {
  if (!specifier) {
    throw new Error('Say which app: chunked-upload --module ./dist/app.module.js#AppModule cleanup');
  }
  const [path = '', name = 'AppModule'] = specifier.split('#');
  const exported = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  const module = exported[name];
  if (typeof module !== 'function') {
    throw new Error(`${path} exports no class ${name}; write --module ${path}#YourModule.`);
  }
  return NestFactory.createApplicationContext(module as Type<object>, {
    logger: ['warn', 'error'],
    abortOnError: false,
  });
}

const program = createProgram(() => openModule(program.opts<{ module?: string }>().module));
program.option('--module <file#export>', 'the compiled root module of your app');
program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
