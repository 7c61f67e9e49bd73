"""A digest of every row that matters, written by a trigger with each change of it.

Two functions for other rooms' migrations: `SELECT ventra_watch(table, key, columns left out)` begins, and records
what is there already as recorded late; `SELECT ventra_record_again(table)` follows a migration that drops,
renames or fills a column of a table that is watched. A column that is only added needs nothing.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

GUARDED = ("audit_rowform", "audit_rowdigest", "audit_rowseal")
GUARD = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER {table}_no_change ON {table}; DROP TRIGGER {table}_no_truncate ON {table};"

# Times and floating-point numbers have one text whatever the session says: hence the settings.
FUNCTIONS = """
CREATE FUNCTION ventra_row_digest(said jsonb, names text[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_object_agg(key, value)::text, 'UTF8')), 'hex')
    FROM jsonb_each(said) WHERE key = ANY(names)
$$;

CREATE FUNCTION ventra_row_form(tab text, names text[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found integer;
BEGIN
    SELECT id INTO found FROM audit_rowform WHERE table_name = tab AND columns = names::varchar[];
    IF found IS NULL THEN
        INSERT INTO audit_rowform (table_name, columns) VALUES (tab, names)
            ON CONFLICT (table_name, columns) DO NOTHING;
        SELECT id INTO found FROM audit_rowform WHERE table_name = tab AND columns = names::varchar[];
    END IF;
    RETURN found;
END $$;

-- TG_ARGV: the key's column, then the columns that are left out.
CREATE FUNCTION ventra_keep_digest() RETURNS trigger LANGUAGE plpgsql
SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    said jsonb;
    before jsonb;
    names text[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        said := to_jsonb(OLD);
    ELSE
        said := to_jsonb(NEW);
    END IF;
    said := said - TG_ARGV[1:];
    IF TG_OP = 'UPDATE' THEN
        before := to_jsonb(OLD) - TG_ARGV[1:];
        IF before = said THEN
            RETURN NULL;
        END IF;
    END IF;
    SELECT array_agg(name ORDER BY name) INTO names FROM jsonb_object_keys(said) name;
    INSERT INTO audit_rowdigest (form_id, table_name, row_key, digest, change) VALUES (
        ventra_row_form(TG_TABLE_NAME, names), TG_TABLE_NAME, said->>TG_ARGV[0],
        ventra_row_digest(said, names), lower(TG_OP));
    RETURN NULL;
END $$;

-- What a trigger was given: the key's column, then the columns that are left out.
CREATE FUNCTION ventra_watched(tab text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT string_to_array(regexp_replace(encode(tgargs, 'escape'), '\\\\000$', ''), '\\000') FROM pg_trigger
    WHERE tgrelid = tab::regclass AND tgname = tab || '_kept'
$$;

CREATE FUNCTION ventra_columns(tab text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(attname::text ORDER BY attname::text) FROM pg_attribute
    WHERE attrelid = tab::regclass AND attnum > 0 AND NOT attisdropped
        AND attname::text <> ALL ((ventra_watched(tab))[2:])
$$;

CREATE FUNCTION ventra_record_again(tab text) RETURNS void LANGUAGE plpgsql
SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    names text[] := ventra_columns(tab);
    form integer := ventra_row_form(tab, names);
BEGIN
    EXECUTE format(
        'INSERT INTO audit_rowdigest (form_id, table_name, row_key, digest, change)
         SELECT $1, $2, (t.%I)::text, ventra_row_digest(to_jsonb(t), $3), ''late'' FROM %I t',
        (ventra_watched(tab))[1], tab) USING form, tab, names;
END $$;

CREATE FUNCTION ventra_watch(tab text, key text, without text[] DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I
        FOR EACH ROW EXECUTE FUNCTION ventra_keep_digest(%s)', tab || '_kept', tab,
        (SELECT string_agg(quote_literal(name), ', ' ORDER BY place)
         FROM unnest(ARRAY[key] || without) WITH ORDINALITY AS given(name, place)));
    PERFORM ventra_record_again(tab);
END $$;

-- Rows whose newest digest covers fewer columns than there are now, and still fits, get another.
CREATE FUNCTION ventra_catch_up(tab text) RETURNS void LANGUAGE plpgsql
SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    names text[] := ventra_columns(tab);
    form integer := ventra_row_form(tab, names);
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_rowform WHERE table_name = tab AND id <> form) THEN
        RETURN;
    END IF;
    EXECUTE format(
        'INSERT INTO audit_rowdigest (form_id, table_name, row_key, digest, change)
         SELECT $1, $2, newest.row_key, ventra_row_digest(to_jsonb(t), $3), ''late''
         FROM (SELECT DISTINCT ON (row_key) row_key, digest, change, form_id FROM audit_rowdigest
               WHERE table_name = $2 ORDER BY row_key, id DESC) newest
         JOIN audit_rowform was ON was.id = newest.form_id
         JOIN %I t ON (t.%I)::text = newest.row_key
         WHERE newest.form_id <> $1 AND newest.change <> ''delete'' AND was.columns::text[] <@ $3
             AND ventra_row_digest(to_jsonb(t), was.columns::text[]) = newest.digest',
        tab, (ventra_watched(tab))[1]) USING form, tab, names;
END $$;
"""
NO_FUNCTIONS = """
DROP FUNCTION ventra_catch_up(text);
DROP FUNCTION ventra_watch(text, text, text[]);
DROP FUNCTION ventra_record_again(text);
DROP FUNCTION ventra_columns(text);
DROP FUNCTION ventra_watched(text);
DROP FUNCTION ventra_keep_digest();
DROP FUNCTION ventra_row_form(text, text[]);
DROP FUNCTION ventra_row_digest(jsonb, text[]);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_departments'),
    ]

    operations = [
        migrations.CreateModel(
            name='RowForm',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('table_name', models.CharField(max_length=63)),
                ('columns', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=63), size=None)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('table_name', 'columns'), name='one_form_for_the_same_columns')],
            },
        ),
        migrations.CreateModel(
            name='RowDigest',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('table_name', models.CharField(max_length=63)),
                ('row_key', models.CharField(max_length=64)),
                ('digest', models.CharField(max_length=64)),
                ('change', models.CharField(choices=[('insert', 'Insert'), ('update', 'Update'), ('delete', 'Delete'), ('late', 'Late')], max_length=6)),
                ('written_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('form', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.rowform')),
            ],
        ),
        migrations.CreateModel(
            name='RowSeal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('digest', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64, unique=True)),
                ('sealed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('row', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='seal', to='audit.rowdigest')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='rowdigest',
            index=models.Index(fields=['table_name', 'row_key', '-id'], name='digest_of_row'),
        ),
        *(migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table)) for table in GUARDED),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
    ]
