import { Inject, type Type } from '@nestjs/common';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';

/** Tokens of one kind, one for each entity. */
function tokens(kind: string): (entity: Type<AbstractChunkedUpload>) => symbol {
  const byEntity = new WeakMap<object, symbol>();
  return (entity) => {
    const token = byEntity.get(entity) ?? Symbol(`${entity.name}${kind}`);
    byEntity.set(entity, token);
    return token;
  };
}

/** Injection token of an entity's {@link UploadType}: its engine and how its doors behave. */
export const getUploadTypeToken = tokens('UploadType');

/** Injection token of an entity's {@link UploadsService}. */
export const getUploadsToken = tokens('UploadsService');

/** Injects an entity's {@link UploadType}. */
export const InjectUploadType = (
  entity: Type<AbstractChunkedUpload>,
): ParameterDecorator & PropertyDecorator => Inject(getUploadTypeToken(entity));

/**
 * Injects an entity's {@link UploadsService}.
 *
 * @example
 * constructor(@InjectUploads(AvatarUpload) private readonly avatars: UploadsService<AvatarUpload>) {}
 */
export const InjectUploads = (entity: Type<AbstractChunkedUpload>): ParameterDecorator & PropertyDecorator =>
  Inject(getUploadsToken(entity));
