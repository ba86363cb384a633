import { type CreateTableBuilder, type Kysely, sql } from 'kysely'
import { columnTypes, createTable } from '../columns.ts'
import type { AnyDatabase, Dialect, Migration } from '../storage.ts'
import { pieceLength } from './archive-words.ts'

/** Parts of the table on Postgres: each has indexes, and a vacuum, of a size that stays handy. */
const parts = 32

/**
 * The table of `archiveStore`.
 *
 * `n` is the order of the archive. One router at a time writes the rows of an owner, one step after another, so within an
 * owner it only grows. On Postgres the table is partitioned by owner, and a search goes over lexemes that begin with a
 * mark of the owner: what others wrote makes nobody's search slower. On SQLite the index is FTS5's, fed by triggers.
 */
export const archiveMigration: Migration = {
  name: '0006-archive',
  async up(db, dialect) {
    if (dialect === 'postgres') await postgresTable(db)
    else await sqliteTable(db)
    await sql`create index "archive_peer" on "archive" ("owner", "peer", "n")`.execute(db)
    await sql`create index "archive_at" on "archive" ("owner", "at")`.execute(db)
    // Only messages that have an id can be retracted by it.
    await sql`create index "archive_origin" on "archive" ("owner", "origin")
      where "origin" is not null`.execute(db)
    await createTable(db, dialect, 'archive_purge')
      .addColumn('owner', columnTypes(dialect).text, (column) => column.primaryKey())
      .execute()
    for (const statement of dialect === 'postgres' ? postgresSearch : sqliteSearch)
      await sql.raw(statement).execute(db)
  },
}

async function postgresTable(db: Kysely<AnyDatabase>): Promise<void> {
  await sql`create sequence "archive_n" cache 1`.execute(db)
  await columns(db, 'postgres')
    .addColumn('n', sql`bigint`, (column) => column.notNull().defaultTo(sql`nextval('archive_n')`))
    .addPrimaryKeyConstraint('archive_pk', ['owner', 'n'])
    .modifyEnd(sql`partition by hash ("owner")`)
    .execute()
  for (let part = 0; part < parts; part += 1)
    await sql
      .raw(
        `create table archive_${part} partition of archive for values with (modulus ${parts}, remainder ${part})`,
      )
      .execute(db)
}

async function sqliteTable(db: Kysely<AnyDatabase>): Promise<void> {
  await columns(db, 'sqlite').addColumn('n', columnTypes('sqlite').counter).execute()
  await sql`create index "archive_order" on "archive" ("owner", "n")`.execute(db)
}

/** What both have, one behind the other; `n` is each dialect's own. */
function columns(db: Kysely<AnyDatabase>, dialect: Dialect) {
  const { text, integer, flag, bytes } = columnTypes(dialect)
  return (createTable(db, dialect, 'archive') as CreateTableBuilder<string, string>)
    .addColumn('owner', text, (column) => column.notNull())
    .addColumn('id', text, (column) => column.notNull())
    .addColumn('at', integer, (column) => column.notNull())
    .addColumn('incoming', flag, (column) => column.notNull())
    .addColumn('peer', text, (column) => column.notNull())
    .addColumn('resource', text)
    .addColumn('origin', text)
    .addColumn('words', text)
    .addColumn('stanza', bytes, (column) => column.notNull())
    .addUniqueConstraint('archive_id', ['owner', 'id'])
}

/** The function costs so much that no plan looks through rows with it, also where nothing is known of the table yet. */
const postgresSearch: readonly string[] = [
  `create function archive_lexemes(owner text, words text) returns tsvector
    language sql immutable strict parallel safe cost 10000
    as $$ select array_to_tsvector(array(
      select distinct left(md5(owner), 10) || word from unnest(string_to_array(words, ' ')) as word
    )) $$`,
  // What waits to be put in its place is looked through by every search.
  `create index archive_words on archive using gin (archive_lexemes(owner, words))
    with (gin_pending_list_limit = 512) where words is not null`,
]

/** An index without a copy of the text: what is taken out of it has to be named as it was put in. */
const sqliteSearch: readonly string[] = [
  `create virtual table archive_words using fts5(words, owner, content='archive', content_rowid='n',
    tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co M*'")`,
  `create trigger archive_words_added after insert on archive when new.words is not null begin
    insert into archive_words(rowid, words, owner) values (new.n, new.words, new.owner);
  end`,
  `create trigger archive_words_removed after delete on archive when old.words is not null begin
    insert into archive_words(archive_words, rowid, words, owner) values ('delete', old.n, old.words, old.owner);
  end`,
  `create trigger archive_words_changed after update on archive when old.words is not null begin
    insert into archive_words(archive_words, rowid, words, owner) values ('delete', old.n, old.words, old.owner);
  end`,
  `create trigger archive_words_changed_to after update on archive when new.words is not null begin
    insert into archive_words(rowid, words, owner) values (new.n, new.words, new.owner);
  end`,
]

/**
 * A search of Postgres costs what it finds: lexemes also name the piece of time that a message is of, so that the newest
 * messages with a word are found without all others. The index is made anew.
 */
export const archiveSearchMigration: Migration = {
  name: '0007-archive-search',
  async up(db, dialect) {
    if (dialect !== 'postgres') return
    for (const statement of postgresSearchByTime) await sql.raw(statement).execute(db)
  },
}

const postgresSearchByTime: readonly string[] = [
  'drop index archive_words',
  'drop function archive_lexemes(text, text)',
  `create function archive_lexemes(owner text, at bigint, words text) returns tsvector
    language sql immutable strict parallel safe cost 10000
    as $$ select array_to_tsvector(array(
      select distinct left(md5(owner), 10) || lpad(to_hex(at / ${pieceLength}), 4, '0') || word
      from unnest(string_to_array(words, ' ')) as word
    )) $$`,
  `create index archive_words on archive using gin (archive_lexemes(owner, at, words))
    with (gin_pending_list_limit = 512) where words is not null`,
  // Without knowing how rare words are, a plan would go through all of an archive beside the index.
  'analyze archive',
]

/**
 * On SQLite a message gets its place in the indexes together with many others (`archive-places.ts`): they are of what is
 * `placed`, and a small one is of what is not. All in one are `archive_all`.
 */
export const archivePlacesMigration: Migration = {
  name: '0008-archive-places',
  async up(db, dialect) {
    if (dialect !== 'sqlite') return
    for (const statement of sqlitePlaces) await sql.raw(statement).execute(db)
  },
}

const sqlitePlaces: readonly string[] = [
  'drop trigger archive_words_added',
  'drop trigger archive_words_removed',
  'drop trigger archive_words_changed',
  'drop trigger archive_words_changed_to',
  ...['order', 'peer', 'at', 'origin'].map((index) => `drop index archive_${index}`),
  'alter table archive add column placed integer not null default 0',
  'update archive set placed = 1',
  'create index archive_order on archive (owner, n) where placed = 1',
  'create index archive_peer on archive (owner, peer, n) where placed = 1',
  'create index archive_at on archive (owner, at) where placed = 1',
  'create index archive_origin on archive (owner, origin) where placed = 1 and origin is not null',
  'create index archive_waiting on archive (owner, n) where placed = 0',
  `create view archive_all as
    select * from archive where placed = 1 union all select * from archive where placed = 0`,
  `create trigger archive_words_removed after delete on archive
    when old.words is not null and old.placed = 1 begin
    insert into archive_words(archive_words, rowid, words, owner) values ('delete', old.n, old.words, old.owner);
  end`,
  `create trigger archive_words_changed after update on archive
    when old.words is not null and old.placed = 1 begin
    insert into archive_words(archive_words, rowid, words, owner) values ('delete', old.n, old.words, old.owner);
  end`,
  `create trigger archive_words_changed_to after update on archive
    when new.words is not null and new.placed = 1 begin
    insert into archive_words(rowid, words, owner) values (new.n, new.words, new.owner);
  end`,
]

/** The same lexemes, at an eighth of the cost: in SQL a query of its own went over the words of each message. */
export const archiveLexemesMigration: Migration = {
  name: '0009-archive-lexemes',
  async up(db, dialect) {
    if (dialect === 'postgres') await sql.raw(lexemesAtOnce).execute(db)
  },
}

const lexemesAtOnce = `create or replace function archive_lexemes(owner text, at bigint, words text) returns tsvector
  language plpgsql immutable strict parallel safe cost 10000
  as $$
  declare
    mark text := left(md5(owner), 10) || lpad(to_hex(at / ${pieceLength}), 4, '0');
  begin
    return array_to_tsvector(string_to_array(mark || replace(words, ' ', ' ' || mark), ' '));
  end
  $$`
