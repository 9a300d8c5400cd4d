#!/usr/bin/env node
import 'reflect-metadata';
import { runProgram } from './exit-code.js';
import { openModule } from './open-module.js';
import { createProgram } from './program.js';

const program = createProgram(() => openModule(program.opts<{ module?: string }>().module));
program.option('--module <file#export>', 'the compiled root module of your app');
await runProgram(program, (error) => console.error(error instanceof Error ? error.message : error));
