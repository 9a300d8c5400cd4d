import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The table of `ChunkedUpload`, with the names TypeORM gives: later migrations can be generated against it. */
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
      "completion_result" json,
      "lease_token" uuid,
      "lease_expires_at" TIMESTAMP WITH TIME ZONE,
      "lease_holder" text,
      "generation" integer NOT NULL DEFAULT '0',
      "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(),
      "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL DEFAULT now(),
      "completed_at" TIMESTAMP(3) WITH TIME ZONE,
      "expires_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
      CONSTRAINT "UQ_8c9f0d726b6ef3d158242a2e7dc" UNIQUE ("idempotency_key"),
      CONSTRAINT "PK_dbb42b0c78f573fdeba89b03dc8" PRIMARY KEY ("id")
    )`);
    await runner.query(
      `CREATE INDEX "IDX_07c5d1d8665ed4718fd9e93472" ON "chunked_upload" ("status", "expires_at")`,
    );
    await runner.query(
      `CREATE INDEX "IDX_b373190040045618502f26531b" ON "chunked_upload" ("created_at", "id")`,
    );
    await runner.query(
      `CREATE INDEX "IDX_068f1293e249d15d46d0f59888" ON "chunked_upload" ("user_id", "created_at", "id")`,
    );
    await runner.query(
      `CREATE INDEX "IDX_2b0f43bc078535dc4918522371" ON "chunked_upload" ("owner_type", "owner_id")`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "chunked_upload"`);
  }
}
