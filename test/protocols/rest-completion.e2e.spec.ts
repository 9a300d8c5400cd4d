import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BadRequestException, ConflictException, HttpException } from '@nestjs/common';
import { blake3, crc32, crc32c, xxhash128, xxhash64 } from './checksums.js';
import { CHECKSUM_ALGORITHMS, type ChunkedUpload, type UploadSettings, UploadError } from '../../src/index.js';
import { file, form, hash, type Json, md5, noise, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';
