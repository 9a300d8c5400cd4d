import type { HttpAdapterHost } from '@nestjs/core';
import type { UploadType } from '../../upload-type.js';
import { HttpExchange } from '../http/http-exchange.js';
import { FormPostDoor } from './form-post.door.js';

/**
 * What the form-post protocol does on its routes. A subclass of its own, with paths and guards, is made for each upload
 * type. To change a step, extend this class and name yours as the option `formPostController`; what its constructor
 * has behind the two arguments of this one is injected.
 */
export abstract class FormPostUploadsController {
  protected readonly door: FormPostDoor;

  constructor(
    type: UploadType,
    private readonly host: HttpAdapterHost,
  ) {
    this.door = new FormPostDoor(type);
  }

  /** `POST <path>`: a `ChunkAnswer`, unless the app renders it otherwise. */
  chunk(request: unknown, response: unknown): Promise<unknown> {
    return this.door.chunk(this.exchange(request, response));
  }

  /** `POST <path>_complete`. */
  complete(request: unknown, response: unknown): Promise<unknown> {
    return this.door.complete(this.exchange(request, response));
  }

  /** `DELETE <path>`. */
  async cancel(request: unknown, response: unknown): Promise<void> {
    await this.door.cancel(this.exchange(request, response));
  }

  protected exchange(request: unknown, response: unknown): HttpExchange {
    return new HttpExchange(this.host.httpAdapter, request, response);
  }
}
