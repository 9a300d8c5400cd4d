import type { Type } from '@nestjs/common';
import { InvalidOptionError, oneOf } from './option-values.js';
import { createFormPostController } from './protocols/form-post/create-form-post-controller.js';
import { createRestController } from './protocols/rest/create-rest-controller.js';
import type { UploadDoor } from './upload-options.js';
import type { CompleteShape } from './upload-shape.js';

/** One protocol of an upload type. */
interface Door {
  readonly controller: (shape: CompleteShape, name: string, type: symbol) => Type<object>;
  readonly path: (shape: CompleteShape) => string;
}

/** Those with fixed paths first: Express takes the first route that matches, and `:id` matches anything. */
const DOORS: Readonly<Record<UploadDoor, Door>> = {
  'form-post': { controller: createFormPostController, path: ({ formPostPath }) => formPostPath },
  rest: { controller: createRestController, path: ({ path }) => path },
};

/** The controllers of an upload type, one for each of its doors. */
export function controllersOf(shape: CompleteShape, type: symbol): Type<object>[] {
  const ordered = (Object.keys(DOORS) as UploadDoor[]).filter((door) => shape.doors.includes(door));
  return ordered.map((door) => DOORS[door].controller(shape, shape.entity.name, type));
}

/** The path of one of an upload type's doors, without slashes around it. */
export function pathOf(shape: CompleteShape, door: UploadDoor): string {
  return DOORS[door].path(shape).replace(/^\/+|\/+$/g, '');
}

/** What must differ between upload types: two versions of one path are two routes. */
export function routesOf(shape: CompleteShape): string[] {
  const versions = [shape.version ?? ''].flat();
  return shape.doors.flatMap((door) => versions.map((version) => `${version} ${pathOf(shape, door)}`.trim()));
}

/** @throws InvalidOptionError for doors that are none, or that have no path. */
export function requireDoors(shape: CompleteShape): void {
  for (const door of shape.doors) oneOf('doors', door, Object.keys(DOORS) as UploadDoor[]);
  if (shape.doors.includes('form-post') && pathOf(shape, 'form-post') === '') {
    throw new InvalidOptionError("formPostPath must have a name, like 'chunked_upload'.");
  }
}
