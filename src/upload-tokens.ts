import { Inject, type Type } from '@nestjs/common';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';

const typeTokens = new WeakMap<object, symbol>();

/** Injection token of an entity's {@link UploadType}: its engine and how its doors behave. */
export function getUploadTypeToken(entity: Type<AbstractChunkedUpload>): symbol {
  const token = typeTokens.get(entity) ?? Symbol(`${entity.name}UploadType`);
  typeTokens.set(entity, token);
  return token;
}

/** Injects an entity's {@link UploadType}. */
export const InjectUploadType = (
  entity: Type<AbstractChunkedUpload>,
): ParameterDecorator & PropertyDecorator => Inject(getUploadTypeToken(entity));

/** Injection token of all upload types of a module. */
export const UPLOAD_TYPES = Symbol('UPLOAD_TYPES');
