import { Entity } from 'typeorm';
import { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';

/** The upload entity that works out of the box, in the table `chunked_upload`. */
@Entity('chunked_upload')
export class ChunkedUpload extends AbstractChunkedUpload {}
