import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The table of `ChunkedUpload`. */
export class CreateChunkedUpload1795219200000 implements MigrationInterface {
  readonly name = 'CreateChunkedUpload1795219200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "chunked_upload" (
      "id" uuid NOT NULL,
      "filename" text NOT NULL,
      "content_type" text,
      "size" bigint,
      "offset" bigint NOT NULL DEFAULT '0',
      "status" text NOT NULL DEFAULT 'uploading',
      "user_id" text,
      "owner_type" text,
      "owner_id" text,
      "checksums" jsonb NOT NULL DEFAULT '{}',
      "digest_state" jsonb,
      "storage_key" text,
      "storage_state" jsonb,
      "metadata" jsonb NOT NULL DEFAULT '{}',
      "idempotency_key" text,
      "completion_result" jsonb,
      "lease_token" uuid,
      "lease_expires_at" TIMESTAMP WITH TIME ZONE,
      "lease_holder" text,
      "generation" integer NOT NULL DEFAULT '0',
      "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(),
      "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(),
      "completed_at" TIMESTAMP(3) WITH TIME ZONE,
      "expires_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
      CONSTRAINT "UQ_IDEMPOTENCY" UNIQUE ("idempotency_key"),
      CONSTRAINT "PK_ID" PRIMARY KEY ("id")
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "chunked_upload"`);
  }
}
