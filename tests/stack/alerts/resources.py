"""Cases of the alerts on what a host runs out of."""

from tests.stack.alerts.case import Case, Told, counted, held, named

_SHOP = {"service_name": "shop"}
_ON = {"service_name": "shop", "host_name": "h1"}

RESOURCES = (
    Case(
        alert="MitaHighMemoryUsage",
        shows="one of two hosts uses 90 % for 10 minutes; another service's 84 %, a third's 99 % for 4 minutes",
        series={
            f"mita_memory_usage_percent{{{named(host_name='h1')}}}": held((20, 60), (40, 90), (40, 60)),
            f"mita_memory_usage_percent{{{named(host_name='h2')}}}": held((100, 60)),
            f"mita_memory_usage_percent{{{named('calm')}}}": held((20, 60), (40, 84), (40, 60)),
            f"mita_memory_usage_percent{{{named('brief')}}}": held((20, 60), (16, 99), (64, 60)),
        },
        quiet=("5m", "9m45s", "17m30s"),
        told={"10m15s": (Told(labels=_ON, value={"humanize": "90"}),)},
    ),
    Case(
        alert="MitaHighCpuUsage",
        shows="a host is 95 % busy for 20 minutes, with a pause of 15 s in it; another for 8 minutes",
        series={
            f"mita_cpu_usage_percent{{{named()}}}": held((20, 30), (40, 95), (1, 10), (39, 95), (100, 30)),
            f"mita_cpu_usage_percent{{{named('calm')}}}": held((20, 30), (32, 95), (148, 30)),
        },
        quiet=("5m", "17m", "30m"),
        told={"24m": (Told(labels=_SHOP, value={"humanize": "95"}),)},
    ),
    Case(
        alert="MitaDiskSpaceLow",
        shows="4 GB of a large disk are left; 4 of a disk of 5, and 6 of a large one",
        series={
            f"mita_disk_free_gb{{{named(host_name='h1')}}}": held((20, 20), (40, 4), (40, 20)),
            f"mita_disk_usage_percent{{{named(host_name='h1')}}}": held((20, 80), (40, 96), (40, 80)),
            f"mita_disk_free_gb{{{named('small')}}}": held((100, 4)),
            f"mita_disk_usage_percent{{{named('small')}}}": held((100, 20)),
            f"mita_disk_free_gb{{{named('large')}}}": held((100, 6)),
            f"mita_disk_usage_percent{{{named('large')}}}": held((100, 94)),
        },
        quiet=("5m", "9m45s", "15m15s"),
        told={"10m15s": (Told(labels=_ON, value={"humanize": "4"}),)},
    ),
    Case(
        alert="MitaDiskFullPredicted",
        shows="2 GB an hour of 40 are used up; others rotate logs, are nearly empty, got a large file, or are new",
        step="5m",
        series={
            f"mita_disk_free_gb{{{named()}}}": held((72, 40))
            + " "
            + counted((96, -2 / 12), start=40)
            + " "
            + held((72, 24)),
            f"mita_disk_usage_percent{{{named()}}}": held((240, 80)),
            f"mita_disk_free_gb{{{named('logs')}}}": " ".join([counted((24, -0.1), start=12)] * 10),
            f"mita_disk_usage_percent{{{named('logs')}}}": held((240, 90)),
            f"mita_disk_free_gb{{{named('empty')}}}": counted((240, -2 / 12), start=900),
            f"mita_disk_usage_percent{{{named('empty')}}}": held((240, 10)),
            f"mita_disk_free_gb{{{named('file')}}}": held((100, 40))
            + " "
            + counted((4, -3), start=40)
            + " "
            + held((136, 28)),
            f"mita_disk_usage_percent{{{named('file')}}}": held((240, 80)),
            f"mita_disk_free_gb{{{named('new')}}}": counted(150, (12, -1), start=40),
            f"mita_disk_usage_percent{{{named('new')}}}": counted(150, (12, 0), start=80),
        },
        quiet=("6h", "9h", "19h30m"),
        told={"13h30m": (Told(labels=_SHOP, value={"humanize": "-23"}),)},
    ),
    Case(
        alert="MitaDiskFullPredicted",
        shows="the process that tells of the host is replaced every hour: the host's trend goes on",
        step="5m",
        series={
            f"mita_disk_free_gb{{{named(instance=str(each))}}}": counted(
                *([12 * each] if each else []), (13, -0.25), start=60 - 3 * each
            )
            for each in range(14)
        }
        | {f"mita_disk_usage_percent{{{named()}}}": held((200, 80))},
        told={"13h": (Told(labels=_SHOP, value={"humanize": "-51"}),)},
    ),
)
