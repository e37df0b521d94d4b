"""What Py_Monitor tells its users: notifications in Korean and English, from a seeded random stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Wording:
    """One kind of notification; `{project}` and `{number}` stand for what it is about."""

    level: str
    title: str
    message: str


WORDINGS = (
    Wording("critical", "서버 응답 없음", "{project}: /health 엔드포인트가 {number}초 동안 응답하지 않습니다"),
    Wording("critical", "Error rate above 5 %", "{project}: {number} of the last 500 requests failed"),
    Wording("critical", "데이터베이스 연결 실패", "{project}: 연결 풀이 가득 찼습니다 (대기 {number}건)"),
    Wording("critical", "Certificate expires", "{project}: the TLS certificate is valid for {number} more hours"),
    Wording("warning", "응답 시간 증가", "{project}: p95 응답 시간이 {number}ms를 넘었습니다"),
    Wording("warning", "High memory usage", "{project}: worker {number} uses more than 80 % of its limit"),
    Wording("warning", "캐시 적중률 저하", "{project}: 최근 5분 동안 캐시 미스 {number}건"),
    Wording("warning", "Retry budget half spent", "{project}: {number} retries in the last minute"),
    Wording("info", "배포 시작", "{project}: 빌드 #{number} 배포를 시작했습니다"),
    Wording("info", "New comment", "{project}: incident #{number} has a new comment"),
    Wording("info", "주간 보고서", "{project}: 이번 주 요청 {number}천 건, 보고서가 준비되었습니다"),
    Wording("info", "Member joined", "{project}: {number} people now follow this project"),
    Wording("ok", "복구 완료", "{project}: {number}초 만에 정상 상태로 돌아왔습니다 ✅"),
    Wording("ok", "All checks pass", "{project}: {number} endpoints healthy"),
)
WEIGHTS = {"critical": 2, "warning": 5, "info": 10, "ok": 10}
PROJECTS = ("주문 API", "checkout", "결제 서비스", "search-v2", "회원 인증", "image-resizer", "정산 배치", "gateway")


def notification(random: Random, *, number: int, user_id: int, at: str) -> str:
    """One notification as the JSON text that is published and kept.

    Args:
        random: Decides level, text and project.
        number: The running number of this notification.
        user_id: To whom it goes.
        at: When it happened, ISO 8601.
    """
    wording = random.choices(WORDINGS, [WEIGHTS[wording.level] for wording in WORDINGS])[0]
    project = random.choice(PROJECTS)
    payload = {
        "id": number,
        "user_id": user_id,
        "level": wording.level,
        "title": wording.title,
        "message": wording.message.format(project=project, number=random.randrange(3, 480)),
        "project": project,
        "timestamp": at,
    }
    return json.dumps(payload, ensure_ascii=False)
