import type { Type } from '@nestjs/common';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';
import type { FormPostUploadsController } from './protocols/form-post/form-post.controller.js';
import type { RestUploadsController } from './protocols/rest/rest.controller.js';
import type { UploadShape } from './upload-options.js';

/** The shape of an upload type, with its defaults. */
export interface CompleteShape extends Required<
  Pick<UploadShape, 'path' | 'guards' | 'decorators' | 'doors' | 'formPostPath'>
> {
  readonly entity: Type<AbstractChunkedUpload>;
  readonly version: UploadShape['version'];
  readonly controller: Type<RestUploadsController> | undefined;
  readonly formPostController: Type<FormPostUploadsController> | undefined;
  readonly dataSource: string | undefined;
}
