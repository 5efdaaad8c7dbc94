#!/bin/bash
# Runs as root whenever the notebook instance starts: looks every five minutes whether it is idle.
set -euo pipefail

mkdir -p /opt/headrace
echo '@PROGRAM@' | base64 --decode > /opt/headrace/stop_when_idle.py
cat > /etc/systemd/system/stop-when-idle.service <<'UNIT'
[Unit]
Description=Stop the notebook instance when it is idle

[Service]
Type=oneshot
ExecStart=/usr/bin/env python3 /opt/headrace/stop_when_idle.py --idle-minutes @IDLE_MINUTES@
UNIT
cat > /etc/systemd/system/stop-when-idle.timer <<'UNIT'
[Unit]
Description=Look whether the notebook instance is idle

[Timer]
OnBootSec=10min
OnUnitActiveSec=5min

[Install]
WantedBy=timers.target
UNIT
systemctl daemon-reload
systemctl enable --now stop-when-idle.timer
