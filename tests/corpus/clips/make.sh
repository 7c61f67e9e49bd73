#!/bin/sh
# How the clips beside this file were made, with FFmpeg 5.1: ten frames of 96 x 64 at 25 a second, frame k all grey
# 20 * k + 20 but for a bar, 8 pixels wide, that has moved to column 8 * k.
set -e
cd "$(dirname "$0")"
source="color=black:size=96x64:rate=25:duration=0.4,format=gray,geq=lum='if(between(X,8*N,8*N+7),235,20*N+20)'"
make() { ffmpeg -y -loglevel error -f lavfi -i "$source" -fflags +bitexact -flags:v +bitexact "$@"; }
make -c:v libx264 -pix_fmt yuv420p -qp 8 h264.mp4
make -c:v libx265 -pix_fmt yuv420p -x265-params log-level=none:info=0:qp=8 hevc.mp4
make -c:v mpeg4 -q:v 2 mpeg4.avi
make -c:v mjpeg -pix_fmt yuvj420p -q:v 2 mjpeg.avi
make -c:v mpeg2video -q:v 2 -f vob mpeg2.mpg
make -c:v mpeg2video -q:v 2 -f mpeg2video mpeg2.m2v
make -c:v libx264 -pix_fmt yuv420p -qp 8 -f mpegts h264.ts
make -c:v libx265 -pix_fmt yuv420p -x265-params log-level=none:info=0:qp=8 -f hevc hevc.hevc
make -c:v libx264 -pix_fmt yuv420p -qp 8 -vf setsar=2/1 wide.mp4
