"""What a read's form showed, joint reads and their confirmation, adjudicators from elsewhere, and drafts."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE TRIGGER cases_confirmation_no_change BEFORE UPDATE OR DELETE ON cases_confirmation
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
CREATE FUNCTION ventra_confirmed_signed_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ventra_refuse_signed((SELECT case_id FROM cases_read WHERE id = NEW.read_id), TG_TABLE_NAME);
    RETURN NEW;
END $$;
CREATE TRIGGER cases_confirmation_signed_stays BEFORE INSERT ON cases_confirmation
    FOR EACH ROW EXECUTE FUNCTION ventra_confirmed_signed_stays();
"""
UNGUARD = """
DROP TRIGGER cases_confirmation_signed_stays ON cases_confirmation;
DROP FUNCTION ventra_confirmed_signed_stays();
DROP TRIGGER cases_confirmation_no_change ON cases_confirmation;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0012_signed_stays'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='read',
            name='shown',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='read',
            name='unblinded',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='readingrules',
            name='adjudicator',
            field=models.ForeignKey(blank=True, help_text='A senior reader of another department, who sees and adjudicates the cases of this one whose two readers differ, and sees no others.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='adjudicator from elsewhere'),
        ),
        migrations.AddField(
            model_name='readingrules',
            name='second_reader_sees',
            field=models.BooleanField(default=False, help_text="Show the second reader the answers and the first reader's finding; such a read is kept, and shown, as not blind.", verbose_name='the second reader sees the first read'),
        ),
        migrations.AlterField(
            model_name='read',
            name='kind',
            field=models.CharField(choices=[('blind', 'Blind read'), ('final', 'Final read'), ('second', 'Second read'), ('adjudication', 'Adjudication'), ('joint', 'Joint read')], max_length=12),
        ),
        migrations.CreateModel(
            name='Confirmation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('confirmed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('read', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='confirmation', to='cases.read')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('form', models.CharField(choices=[('read', 'Read'), ('addendum', 'Addendum')], max_length=8)),
                ('words', models.JSONField(default=dict)),
                ('kept_at', models.DateTimeField(auto_now=True)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='cases.case')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('case', 'author', 'form'), name='one_draft_of_a_form')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
