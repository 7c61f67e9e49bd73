"""The workers' door. A message is a wake-up; the job rows in PostgreSQL are the truth.

No result backend, no ETA, JSON only, queues by name: after a flush Redis silently drops
messages sent to a declared exchange, and keeps those sent to a queue.
"""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("ventra")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        # Above any job's length; recovery rests on leases, not on redelivery.
        "visibility_timeout": 7200,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "max_retries": 1,
    },
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_max": 0.2},
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    task_default_queue=settings.JOB_QUEUE,
    task_create_missing_queues=True,
    worker_prefetch_multiplier=1,
    worker_proc_alive_timeout=60,
    worker_max_tasks_per_child=500,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
)
app.autodiscover_tasks(["inference.jobs", "webhooks"])
