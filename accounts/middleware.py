from django.utils import translation


def speak_their_language(get_response):
    """A signed-in person's own language comes before the browser's."""

    def middleware(request):
        if request.user.is_authenticated and not request.path.startswith("/api/"):
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        return get_response(request)

    return middleware
