"""Upload sessions: many files that are looked at together before any becomes a scan."""

import uuid
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from audit.trail import record
from cases import access
from cases.api import visible
from cases.api.parsers import UploadParser
from cases.api.permissions import ReadersWrite
from cases.api.serializers import RequestSerializer, TextField
from cases.api.submission import LOCATION
from cases.models import Case, UploadedPart, UploadSession
from cases.uploads import committing, service, words
from cases.uploads.forms import CHOICES
from inference.formats.series import Group
from inference.models import Image
from language.stored import said


class SessionOpeningSerializer(RequestSerializer):
    """What the files were acquired with."""

    modality = serializers.ChoiceField(choices=Image.Modality.choices)


class PartSerializer(serializers.ModelSerializer[UploadedPart]):
    """A file that has arrived. inside_archive: it came in a ZIP file, which is a part itself."""

    inside_archive = serializers.SerializerMethodField()

    class Meta:
        model = UploadedPart
        fields: ClassVar = ["name", "sha256", "size", "is_archive", "inside_archive"]

    def get_inside_archive(self, part: UploadedPart) -> bool:
        """Whether its sender need not ask for it by its own hash."""
        return part.inside_id is not None


class GroupSerializer(serializers.Serializer[Any]):
    """Some of the files, and what becomes of them: one volume, one scan, or nothing, and why."""

    becomes = serializers.ChoiceField(choices=["volume", "scan", "left_out"])
    summary = serializers.SerializerMethodField(help_text="In words.")
    series_number = serializers.CharField(help_text="As the files say; empty where they do not.")
    series_description = serializers.CharField(source="description")
    series_instance_uid = serializers.CharField(source="series")
    slices = serializers.SerializerMethodField(help_text="Of a volume; otherwise how many files.")
    files = serializers.SerializerMethodField(help_text="Names, in the order of the slices.")
    doubles = serializers.SerializerMethodField(help_text="Names of files that are here twice.")
    slice_spacing = serializers.FloatField(source="step", allow_null=True, help_text="mm")
    code = serializers.CharField(help_text="Why they are left out; else empty.")
    detail = serializers.SerializerMethodField()
    known_scan = serializers.SerializerMethodField(
        help_text="Number of the scan of the same series: committing asks for known_series. Else null."
    )

    def get_summary(self, group: Group) -> str:
        """ "Series 3, T2 coronal: 24 slices, one volume"."""
        line = words.line(self.context["session"], group)
        return f"{line.what}: {line.becomes}"

    def get_slices(self, group: Group) -> int:
        """Without those that are here twice."""
        return len(group.files)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_files(self, group: Group) -> list[str]:
        """As their sender calls them."""
        return [file.name for file in group.files]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_doubles(self, group: Group) -> list[str]:
        """Likewise."""
        return [file.name for file in group.doubles]

    def get_detail(self, group: Group) -> str:
        """One sentence, in the reader's language."""
        return said(group.detail)

    def get_known_scan(self, group: Group) -> int | None:
        """Where these slices come late."""
        known = committing.known_scan(self.context["session"], group)
        return known.number if known else None


class CommittedSerializer(serializers.Serializer[Any]):
    """What became of one group. status: added, known (a scan already) or refused."""

    status = serializers.ChoiceField(choices=["added", "known", "refused"])
    scan = serializers.SerializerMethodField(help_text="Its address; null where it was refused.")
    code = serializers.CharField()
    detail = serializers.SerializerMethodField()

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_scan(self, one: committing.Committed) -> str | None:
        """As `scans/{id}/` has it."""
        return reverse("api:scan", args=[one.scan], request=self.context["request"]) if one.scan else None

    def get_detail(self, one: committing.Committed) -> str:
        """Why it was refused."""
        return said(one.detail)


class UploadSessionSerializer(serializers.ModelSerializer[UploadSession]):
    """A session: what has arrived, what it will become, and what became of it."""

    url = serializers.HyperlinkedIdentityField(view_name="api:upload")
    case = serializers.HyperlinkedRelatedField[Case](view_name="api:case", read_only=True)
    expires_at = serializers.SerializerMethodField(help_text="Unless it is touched before.")
    parts = PartSerializer(many=True, read_only=True)
    groups = serializers.SerializerMethodField(help_text="Empty once the session is committed.")
    outcomes = serializers.SerializerMethodField(help_text="Of the groups that were committed so far.")

    class Meta:
        model = UploadSession
        fields: ClassVar = [
            "id", "url", "case", "modality", "state", "opened_at", "expires_at",
            "parts", "groups", "outcomes",
        ]  # fmt: skip

    @extend_schema_field(serializers.DateTimeField())
    def get_expires_at(self, session: UploadSession) -> Any:
        """When it is forgotten with its files."""
        return session.touched_at + service.KEPT_FOR

    @extend_schema_field(GroupSerializer(many=True))
    def get_groups(self, session: UploadSession) -> Any:
        """Understood anew from the files that are there."""
        groups = service.understood(session) if session.state == UploadSession.State.OPEN else []
        return GroupSerializer(groups, many=True, context={**self.context, "session": session}).data

    @extend_schema_field(CommittedSerializer(many=True))
    def get_outcomes(self, session: UploadSession) -> Any:
        """In the order in which they were committed."""
        done = committing.outcome_of(session).done
        return CommittedSerializer(done, many=True, context=self.context).data


class PartAddingSerializer(RequestSerializer):
    """A file, and how to know that it arrived whole."""

    file = serializers.FileField(
        allow_empty_file=True, max_length=None, help_text="Any file of the folder, or a ZIP file of it."
    )
    sha256 = serializers.RegexField(r"^[0-9a-fA-F]{64}\Z", help_text="Of the file's bytes.")
    name = TextField(
        max_length=400, required=False, allow_blank=True, default="", help_text="With its folders."
    )


class CommitSerializer(RequestSerializer):
    """Answers to what committing may ask."""

    mismatch_reason = TextField(
        max_length=300,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why DICOM files that name another patient belong to this case all the same.",
    )
    known_series = serializers.ChoiceField(
        choices=[name for name, _ in CHOICES],
        required=False,
        allow_blank=True,
        default="",
        help_text="What becomes of slices whose series is a scan of the case already.",
    )


class OpenUpload(GenericAPIView[Case]):
    """Where a session begins."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    serializer_class = SessionOpeningSerializer
    pagination_class = None
    queryset = Case.objects.none()

    @extend_schema(
        summary="Open an upload session",
        tags=["scans"],
        parameters=[LOCATION],
        responses={
            201: OpenApiResponse(UploadSessionSerializer, "Send its files as parts."),
            409: OpenApiResponse(description="The case is signed."),
            429: OpenApiResponse(description="Too many sessions of this user are open."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """For the files of a folder or a study: slices of one series become one volume."""
        case = visible.case_to_write(visible.user_of(request), pk)
        body = SessionOpeningSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        session = service.open_session(case, body.validated_data["modality"], by=visible.user_of(request))
        data = UploadSessionSerializer(session, context=self.get_serializer_context()).data
        return Response(data, status=status.HTTP_201_CREATED, headers={"Location": str(data["url"])})


class OfASession(GenericAPIView[UploadSession]):
    """What the addresses below share."""

    permission_classes = (IsAuthenticated, ReadersWrite)
    serializer_class: Any = UploadSessionSerializer
    pagination_class = None
    queryset = UploadSession.objects.none()

    def get_queryset(self) -> QuerySet[UploadSession]:
        """Those of visible cases."""
        sessions = UploadSession.objects.visible_to(self.request.user)
        return sessions.select_related("case__patient").prefetch_related("parts")

    def shown(self, session: UploadSession) -> Any:
        """The session as it is now."""
        fresh = get_object_or_404(self.get_queryset(), pk=session.pk)
        return UploadSessionSerializer(fresh, context=self.get_serializer_context()).data


class OneUpload(OfASession):
    """A session."""

    @extend_schema(summary="See what an upload will become", tags=["scans"])
    def get(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Which parts have arrived, and what they are: a sender that was cut off goes on from here."""
        session = self.get_object()
        record("case.viewed", actor=request.user, subject=session, thread=session.case.thread)
        return Response(self.get_serializer(session).data)


class UploadParts(OfASession):
    """The files of a session."""

    parser_classes = (UploadParser,)
    serializer_class = PartAddingSerializer

    @extend_schema(
        summary="Add a file to an upload",
        tags=["scans"],
        request={"multipart/form-data": PartAddingSerializer},
        responses={
            200: OpenApiResponse(PartSerializer, "This file has arrived already."),
            201: OpenApiResponse(PartSerializer, "It is kept until the session ends."),
            409: OpenApiResponse(description="The session is committed, or the case signed."),
            422: OpenApiResponse(
                description="It did not arrive whole, or is an archive that is not in order."
            ),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Checked against its hash. A ZIP file becomes its members."""
        session = self.get_object()
        access.require_writer(session.case, visible.user_of(request))
        body = PartAddingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        added = service.add_part(
            session, sent["file"], by=visible.user_of(request), name=sent["name"], sha256=sent["sha256"]
        )
        code = status.HTTP_201_CREATED if added.is_new else status.HTTP_200_OK
        return Response(PartSerializer(added.part).data, status=code)


class CommitUpload(OfASession):
    """The end of a session."""

    serializer_class = CommitSerializer

    @extend_schema(
        summary="Make scans of an upload",
        tags=["scans"],
        responses={
            200: OpenApiResponse(UploadSessionSerializer, "Done; outcomes says what became of each group."),
            202: OpenApiResponse(UploadSessionSerializer, "Some groups are left: commit again to go on."),
            409: OpenApiResponse(description="series_known: say known_series; or the case is signed."),
            422: OpenApiResponse(description="Another patient's files, or nothing that becomes a scan."),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Stores what was understood, and queues its jobs. A committed session answers the same again."""
        session = self.get_object()
        access.require_writer(session.case, visible.user_of(request))
        body = CommitSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        progress = committing.commit(session, by=visible.user_of(request), **body.validated_data)
        code = status.HTTP_202_ACCEPTED if progress.left else status.HTTP_200_OK
        return Response(self.shown(session), status=code)
